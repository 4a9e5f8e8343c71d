"""Killed with -9 at whatever moment, alone, in a stack, or beside another process: nothing is lost, nothing is left."""

import os
import random
import re
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from src.execution import driver
from src.execution.session import Session
from src.records.pieces import PACE
from tests.end_to_end.events import (
    at_event,
    composed,
    fork,
    fork_composed,
    kill_after,
    left_over,
    records,
    status_of,
)
from tests.support import command_line

RUN = ["model=linear", "dataset=digits", "trainer=smoke", "trainer.epochs=2", "prune.iterations=2", "threads=1"]
STACKED = ["-m", "hydra/launcher=stacked", *RUN, "prune=sap,one_shot"]
SWEEP = ["-m", "prune=sap,lottery_ticket", *RUN, "prune.iterations=1"]
EVENTS = {"solo": (RUN, 140, 29), "stacked": (STACKED, 300, 67), "two": (SWEEP, 200, 41)}
"""What runs; more than its file events; of these, every how manieth the default tests try, as whole commands."""
TIMELY = 5
"""File events that a command has or has not, as the clock tells it."""


def often() -> None:
    """Checkpoints after every epoch, and records that wait for the disk."""
    driver.LOST_S, PACE._share = 0.0, 1e9


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The records of an undisturbed command, by its words."""

    @cache
    def of(*words: str) -> dict[str, bytes]:
        output_dir = tmp_path_factory.mktemp("whole")
        done = command_line(*words, f"output_dir={output_dir}")
        assert done.returncode == 0, done.stderr
        return records(output_dir)

    return of


def sample(*kinds):
    return [
        pytest.param(kind, n, marks=() if n % EVENTS[kind][2] == 5 else pytest.mark.slow)
        for kind in kinds
        for n in range(EVENTS[kind][1])
    ]


def killed_at(output_dir: Path, number: int) -> None:
    often()
    at_event(number, output_dir, lambda _: os.kill(os.getpid(), signal.SIGKILL))


def begin(kind: str, number: int, output_dir: Path, before: Callable[[], object] = lambda: None) -> int:
    """A process that does the command of a kind; of the many attempts only a sample composes it anew."""
    words, _, every = EVENTS[kind]
    if number % every == 5:
        return fork([*words, f"output_dir={output_dir}"], before)
    return fork_composed(composed(*words), output_dir, before, stacked=kind == "stacked")


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """How many file events a command has that nobody disturbs, by its kind."""

    @cache
    def of(kind: str) -> int:
        folder = tmp_path_factory.mktemp("events")
        count = folder / "count"

        def counted() -> None:
            often()
            at_event(-1, folder / "out", lambda seen: count.write_text(str(seen)))

        assert status_of(begin(kind, 0, folder / "out", counted)) == 0
        return int(count.read_text())

    return of


@pytest.mark.parametrize(("kind", "number"), sample("solo", "stacked"))
def test_at_a_file_event(tmp_path, whole, events, kind, number):
    if number >= events(kind):
        pytest.skip("there are fewer events")
    end = status_of(begin(kind, number, tmp_path, lambda: killed_at(tmp_path, number)))
    if end == 0 and number > events(kind) - TIMELY:
        pytest.skip("there are fewer events this time")
    assert end == -signal.SIGKILL
    assert status_of(begin(kind, number, tmp_path)) == 0
    assert records(tmp_path) == whole(*EVENTS[kind][0])
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(("kind", "number"), sample("two"))
def test_beside_another_process(tmp_path, whole, events, kind, number):
    """The other one takes over what the killed one was at."""
    if number >= events(kind):
        pytest.skip("there are fewer events")
    killed = begin(kind, number, tmp_path, lambda: killed_at(tmp_path, number))
    other = begin(kind, number, tmp_path)
    ends = status_of(killed), status_of(other)
    if ends == (0, 0):
        pytest.skip("the other one did too much of it")
    assert ends == (-signal.SIGKILL, 0)
    assert records(tmp_path) == whole(*EVENTS[kind][0])
    assert left_over(tmp_path) == []


METHODS = ("sap", "one_shot", "lottery_ticket")
LONG = ["-m", "hydra/launcher=stacked", *RUN, "trainer.epochs=8", "prune.iterations=3"]


KILLS = int(os.environ.get("TORTURE_KILLS", "130"))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", [4, pytest.param(KILLS, marks=pytest.mark.slow)])
def test_stacks_of_any_composition_at_random_moments(tmp_path, whole, kills, capsys):
    """No more than one epoch a member is trained again, and all records are those of one stack left alone."""
    chance, log, done, attempts = random.Random(kills), tmp_path / "log", 0, 0
    log.touch()
    words_of_all = [*LONG, f"prune={','.join(METHODS)}", "seed=0,1,2"]
    while done < kills:
        methods, seeds = (chance.sample(of, chance.randint(1, len(of))) for of in (METHODS, "012"))
        words = {f"{key}={value}" for key, values in (("prune", methods), ("seed", seeds)) for value in values}
        jobs = [job for job in composed(*words_of_all) if len(words & set(job.words)) == 2]
        assert len(jobs) == len(methods) * len(seeds)
        output_dir = tmp_path / str(attempts // 6)
        child = fork_composed(jobs, output_dir, lambda: logging_epochs(log), stacked=True)
        size = log.stat().st_size
        end = kill_after(child, lambda: log.stat().st_size > size, chance.uniform(0, 1))  # noqa: B023
        assert end in (0, -signal.SIGKILL)
        done, attempts = done + (end != 0), attempts + 1
        with log.open("a") as file:
            file.write("ended\n")
    for folder in range((attempts - 1) // 6 + 1):
        assert status_of(fork([*words_of_all, f"output_dir={tmp_path / str(folder)}"])) == 0
        assert records(tmp_path / str(folder)) == whole(*words_of_all)
        assert left_over(tmp_path / str(folder)) == []
    again = trained_again(log.read_text())
    assert max(again, default=0) <= 1
    with capsys.disabled():
        print(f"\n{kills} kills, {sum(again)} member-epochs trained again of {log.read_text().count('epoch')}")


def logging_epochs(log: Path) -> None:
    often()
    after_epoch = Session.after_epoch

    def logged(self, request, end, index, seconds):
        run = f"{self.run.folder.parents[1].name}/{self.run.name}"
        with log.open("a") as file:
            file.write(f"epoch {run} {request.iteration} {end.epochs_done}\n")
        after_epoch(self, request, end, index, seconds)

    Session.after_epoch = logged


def trained_again(log: str) -> list[int]:
    """How many epochs each training that was gone on with had to repeat."""
    last: dict[tuple[str, str], int] = {}
    found, seen = [], set()
    for line in log.splitlines():
        if line.startswith("ended"):
            seen = set()
        elif match := re.fullmatch(r"epoch (\S+) (\d+) (\d+)", line):
            key, epoch = (match[1], match[2]), int(match[3])
            if key in last and key not in seen:
                found.append(last[key] + 1 - epoch)
            last[key] = epoch
            seen.add(key)
    return found
