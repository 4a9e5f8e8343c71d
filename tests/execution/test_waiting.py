import itertools
import os
import sys
import threading
import time
from contextlib import contextmanager

import pytest
import torch

from src.execution import waiting


def test_how_threads_wait_is_set_before_pytorch_is_loaded_and_left_alone_where_the_user_set_it(monkeypatch):
    theirs, late = {"KMP_BLOCKTIME": "200"}, {}
    waiting.prepare(late)
    monkeypatch.delitem(sys.modules, "torch")
    ours = {}
    waiting.prepare(ours)
    waiting.prepare(theirs)
    assert (ours, theirs, late) == (waiting.SPIN, {"KMP_BLOCKTIME": "200"}, {})


@pytest.mark.parametrize(
    ("group", "files", "found"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, (1, "a quota of 1.5 cores")),  # version 2 in a container
        ("0::/a/b", {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, (3, "a quota of 3 cores")),
        ("3:cpu,cpuacct:/x", {"cpu/x/cpu.cfs_quota_us": "50000", "cpu/x/cpu.cfs_period_us": "100000"}, (1, "0.5")),
        ("3:cpu:/host/x", {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, (2, "2 cores")),
        ("3:cpu:/x", {"cpu/x/cpu.cfs_quota_us": "-1", "cpu/x/cpu.cfs_period_us": "100000"}, (64, "64 cores")),
        ("5:memory:/x", {}, (64, "64 cores")),
        ("0::/", {"cpu.max": "damaged"}, (64, "64 cores")),
    ],
)
def test_cores_are_those_that_affinity_and_quota_leave(tmp_path, monkeypatch, group, files, found):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64))
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(f"{group}\n")
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    number, why = waiting.cores(tmp_path)
    assert number == found[0]
    assert found[1] in why


def test_slurm_says_how_many_cores_a_task_has(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64))
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "4")
    assert waiting.cores(tmp_path) == (4, "SLURM_CPUS_PER_TASK=4")


def test_threads_are_few_where_cores_are_and_the_users_number_stays(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(waiting, "cores", lambda: (1, "a quota of 1 cores"))
    try:
        monkeypatch.setenv("OMP_NUM_THREADS", str(before))
        kept = waiting.choose_threads(None)
        asked = waiting.choose_threads(3), torch.get_num_threads()
        monkeypatch.delenv("OMP_NUM_THREADS")
        assert (kept, asked, waiting.choose_threads(None), torch.get_num_threads()) == (before, (3, 3), 1, 1)
    finally:
        torch.set_num_threads(before)


def tasks():
    return set(os.listdir("/proc/self/task"))


@pytest.mark.skipif(waiting._gnu_openmp() is None or waiting._waited_s() is None, reason="not GNU's OpenMP on Linux")
def test_threads_sleep_while_cores_are_shared_and_spin_again_afterwards(monkeypatch):
    """libgomp does not say how it waits: an idle team of more threads than cores is what makes it sleep."""
    waited = itertools.chain([0.0, 0.0, 1e9, 1e9, 2e9], itertools.repeat(2e9))  # shared for two ticks, however long
    asleep, teams, over = waiting._asleep, [], threading.Event()

    @contextmanager
    def watched(library, threads):
        before = tasks()
        with asleep(library, threads):
            teams.append(tasks() - before)
            yield
        if len(teams) == 2:
            over.set()

    monkeypatch.setenv("GOMP_SPINCOUNT", waiting.SPIN["GOMP_SPINCOUNT"])
    monkeypatch.setattr(waiting, "_waited_s", lambda: next(waited))
    monkeypatch.setattr(waiting, "_asleep", watched)
    monkeypatch.setattr(waiting, "TICK_S", 0.01)
    monkeypatch.setattr(waiting, "PATIENT_S", (0.02, 0.02))
    with waiting.sharing(2):
        assert over.wait(100)
    assert [len(team) >= len(os.sched_getaffinity(0)) for team in teams] == [True, True]
    until = time.monotonic() + 100
    while tasks() & set.union(*teams):  # threads of a team end a moment after the one that they waited for
        assert time.monotonic() < until
        time.sleep(0.01)
    assert not {"waiting", "idle"} & {thread.name for thread in threading.enumerate()}
