"""Much at once, and for long: memory, open files, many writers, and a network that does not answer."""

import logging
import multiprocessing
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import torch

from src.messages import Epoch, Performance, Trained
from src.store.trainings import Origin, TrainingStore
from src.training.state import Snapshot, TrainingState
from tests import support
from tests.support import QUIET, ROOT, command_line
from tests.tracking.offline_log import read_log

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

RUN = ["model=linear", "dataset=digits", "trainer=smoke", "threads=1"]
ITERATIONS = 500
WRITERS, TRAININGS, STACK = 16, 240, 4
RUNS = 200
KEY = "0" * 40
STARTS = []
"""The barrier that a writer's process was given."""


@pytest.fixture
def tell(capsys):
    """Print a figure for docs/reliability.md."""

    def print_it(text):
        with capsys.disabled():
            print(f"\n{text}")

    return print_it


def apart(function, *given):
    """What the function returns in a new process, whose memory and files are its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *given).result()


def memory_mb(name="VmRSS"):
    """Of this process: `VmRSS` now, `VmHWM` at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(name))


def many_iterations(output_dir):
    """(Seconds of processor time, memory and its peak in MB) of each record of a run."""
    from src.execution.session import Session

    record, seen = Session.record, []

    def measured(self, given):
        began = time.process_time()
        record(self, given)
        seen.append((time.process_time() - began, memory_mb(), memory_mb("VmHWM")))

    Session.record = measured
    done = command_line(*RUN, "prune=random", "prune.ratio=0.01", f"prune.iterations={ITERATIONS}",
                        f"output_dir={output_dir}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return seen


def test_memory_and_the_cost_of_an_iteration_do_not_grow_with_their_number(tmp_path, tell):
    seconds, memory, peak = zip(*apart(many_iterations, tmp_path), strict=True)
    assert len(seconds) == ITERATIONS + 1
    early, late = (1e3 * statistics.median(seconds[t - 25 : t + 1]) for t in (50, ITERATIONS))
    tell(f"a record at iteration 50: {early:.1f} ms, {memory[50]:.0f} MB, peak {peak[50]:.0f} MB; "
         f"at {ITERATIONS}: {late:.1f} ms, {memory[-1]:.0f} MB, peak {peak[-1]:.0f} MB")  # fmt: skip
    assert late < 1.5 * early
    assert max(memory[-1] - memory[50], peak[-1] - peak[50]) < 5


def many_mirrored(output_dir):
    """(Memory in MB, open files, threads) at the end of each run of a sweep that is mirrored offline."""
    from src.tracking.wandb_tracker import WandbTracker

    finish, seen = WandbTracker.finish, []

    def measured(self, status):
        finish(self, status)
        seen.append((memory_mb(), len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))))

    WandbTracker.finish = measured
    support.QUIET = ("device=cpu", "tracking=offline")
    seeds = ",".join(map(str, range(RUNS)))
    done = command_line("-m", *RUN, "prune.iterations=1", f"seed={seeds}", f"output_dir={output_dir}")
    assert done.returncode == 0, done.stderr
    return seen


def test_two_hundred_mirrored_runs_leave_nothing_open(tmp_path, monkeypatch, tell):
    for name in [name for name in os.environ if name.startswith("WANDB")]:
        monkeypatch.delenv(name)
    began = time.monotonic()
    seen = apart(many_mirrored, tmp_path)
    took = time.monotonic() - began
    assert len(seen) == RUNS
    (_, files, threads), (early, _, _), (late, files_last, threads_last) = seen[0], seen[RUNS // 10], seen[-1]
    tell(f"{RUNS} W&B runs offline in one process, {took:.0f} s: {early:.0f} MB after {RUNS // 10}, {late:.0f} MB "
         f"after all; open files {files} after one and {files_last}; threads {threads} and {threads_last}")  # fmt: skip
    logs = [read_log(path) for path in tmp_path.glob("runs/*/wandb/offline-run-*")]
    assert [(log.column("iteration"), log.exit_code) for log in logs] == [([0, 1], 0)] * RUNS
    assert files_last <= files + 5
    assert threads_last <= threads + 5
    assert late - early < 0.5 * RUNS


def training(number):
    """Identity, weights and history of a training; each its own."""
    weights = {"w": torch.full((50_000,), float(number)), "b": torch.arange(10.0) + number}
    performance = Performance(float(number), 50.0)
    return f"{number:02x}{number:030x}", weights, [Epoch(0, 0.1, performance, performance, performance)]


def write_and_read(root, writer):
    """Do what a process on a sweep does to the store; how many trainings it kept, and how many it read back."""
    store, chance = TrainingStore(root / "trainings", torch.device("cpu")), random.Random(writer)
    order = sorted(range(TRAININGS), key=lambda number: number + chance.uniform(0, 32))  # much as the others have it
    kept, read = 0, 0
    for begin in range(0, TRAININGS, STACK):
        with ExitStack() as until:
            free = [training(n) for n in order[begin : begin + STACK]]
            free = [one for one in free if not store.has(one[0]) and store.lock(one[0], until)]
            mine = [one for one in free if not store.has(one[0])]
            snapshots = [Snapshot(weights["w"], {"b": weights["b"]}) for _, weights, _ in mine]
            states = [TrainingState(s, {"v": s.parameters}, s, 0, 1, one[2])
                      for one, s in zip(mine, snapshots, strict=True)]  # fmt: skip
            store.save_partials((one[0], s, Origin("spec", 0)) for one, s in zip(mine, states, strict=True))
            for identity, weights, history in mine:
                partial = store.load_partial(identity)
                assert torch.equal(partial.current.parameters, weights["w"])
                store.save(identity, Trained(weights, weights, 0, history), Origin("spec", 0))
                kept += 1
        done = {identity for identity, _, _ in mine}
        others = [number for number in order[begin : begin + STACK] if training(number)[0] not in done]
        for number in [*chance.sample(order, 10), *5 * others]:  # some of which are being written
            identity, weights, history = training(number)
            if (found := store.load(identity)) is not None:
                assert all(torch.equal(found.last[name], weights[name]) for name in weights)
                assert found.history == history
                read += 1
    return kept, read


def told_nothing(root, writer):
    """`write_and_read` with all others, where a warning (a damaged or unwritable file) is an error."""
    warned = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = warned.append
    logging.getLogger("src").addHandler(handler)
    STARTS[0].wait(100)
    found = write_and_read(root, writer)
    assert not warned, [record.getMessage() for record in warned]
    return found


def test_sixteen_writers_on_one_store_lose_and_tear_nothing(tmp_path, tell):
    began, fork = time.monotonic(), multiprocessing.get_context("fork")
    with ProcessPoolExecutor(WRITERS, fork, initializer=STARTS.append, initargs=(fork.Barrier(WRITERS),)) as pool:
        done = [pool.submit(told_nothing, tmp_path, writer) for writer in range(WRITERS)]
        kept, read = zip(*(one.result() for one in done), strict=True)
    took = time.monotonic() - began
    tell(f"{WRITERS} writers, {TRAININGS} trainings: kept {sum(kept)} (at least {min(kept)} each), "
         f"{sum(read)} read back whole, {took:.0f} s")  # fmt: skip
    assert sum(kept) == TRAININGS
    assert sum(map(bool, kept)) > WRITERS // 2  # at the same time
    store = TrainingStore(tmp_path / "trainings", torch.device("cpu"))
    for identity, weights, _ in map(training, range(TRAININGS)):
        assert torch.equal(store.load(identity).last["w"], weights["w"])
    names = {f"{training(n)[0]}.safetensors" for n in range(TRAININGS)}
    assert {path.name for path in (tmp_path / "trainings").rglob("*") if path.is_file()} == names


def seconds_of(output_dir, tracking, url):
    """Of a whole run as a process of its own; its rows must all be in W&B's files."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    env |= {"PYTHONPATH": str(ROOT), "HOME": str(output_dir), "WANDB_BASE_URL": url, "WANDB_API_KEY": KEY}
    words = [*RUN, "trainer.epochs=150", "prune.iterations=20", f"tracking={tracking}", f"output_dir={output_dir}"]
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "src.main", QUIET[1], *words], cwd=ROOT, env=env, check=True,
                          capture_output=True, text=True)  # fmt: skip
    took = time.monotonic() - began
    assert "Traceback" not in done.stderr
    if tracking != "none":
        (log,) = map(read_log, output_dir.glob("runs/*/wandb/*run-*"))
        assert log.column("iteration") == list(range(21))
    return took


def test_a_dead_and_a_hanging_network_cost_seconds(tmp_path, tell):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent, closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))  # and never listens
        urls = [f"http://127.0.0.1:{s.getsockname()[1]}" for s in (closed, closed, silent)]
        cases = dict(zip(("none", "dead", "hanging"), zip(("none", "wandb", "wandb"), urls, strict=True), strict=True))
        found = {name: [] for name in cases}
        for repeat in range(3):
            for name, (tracking, url) in cases.items():
                (tmp_path / f"{name}{repeat}").mkdir()
                found[name].append(seconds_of(tmp_path / f"{name}{repeat}", tracking, url))
    tell("; ".join(f"{name}: {', '.join(f'{s:.1f}' for s in seconds)} s" for name, seconds in found.items()))
    none, *others = (statistics.median(seconds) for seconds in found.values())
    assert max(others) - none < max(6, 0.6 * none)  # 3.4 of 10.7 s on a quiet machine, once a process
