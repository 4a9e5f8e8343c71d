"""Killed with -9 at whatever moment, alone, in a stack, or beside another process: nothing is lost, nothing is left."""

import os
import random
import re
import signal
from functools import cache
from pathlib import Path

import pytest

from src.execution import driver
from src.execution.session import Session
from src.records.pieces import PACE
from tests.end_to_end.events import at_event, fork, kill_after, left_over, records, status_of
from tests.support import command_line

RUN = ["model=linear", "dataset=digits", "trainer=smoke", "trainer.epochs=2", "prune.iterations=2", "threads=1"]
STACKED = ["-m", "hydra/launcher=stacked", *RUN, "prune=sap,one_shot"]
SWEEP = ["-m", "prune=sap,lottery_ticket", *RUN, "prune.iterations=1"]
EVENTS = {"solo": (RUN, 140, 29), "stacked": (STACKED, 300, 67), "two": (SWEEP, 200, 41)}
"""What runs; more than its file events; of these, every how manieth the default tests try."""


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


@pytest.mark.parametrize(("kind", "number"), sample("solo", "stacked"))
def test_at_a_file_event(tmp_path, whole, kind, number):
    words = [*EVENTS[kind][0], f"output_dir={tmp_path}"]
    if status_of(fork(words, lambda: killed_at(tmp_path, number))) != -signal.SIGKILL:
        pytest.skip("there are fewer events")
    assert status_of(fork(words)) == 0
    assert records(tmp_path) == whole(*EVENTS[kind][0])
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(("kind", "number"), sample("two"))
def test_beside_another_process(tmp_path, whole, kind, number):
    """The other one takes over what the killed one was at."""
    words = [*EVENTS[kind][0], f"output_dir={tmp_path}"]
    killed, other = fork(words, lambda: killed_at(tmp_path, number)), fork(words)
    ends = status_of(killed), status_of(other)
    if ends == (0, 0):
        pytest.skip("there are fewer events")
    assert ends == (-signal.SIGKILL, 0)
    assert records(tmp_path) == whole(*EVENTS[kind][0])
    assert left_over(tmp_path) == []


METHODS = ("sap", "one_shot", "lottery_ticket")
LONG = ["-m", "hydra/launcher=stacked", *RUN, "trainer.epochs=8", "prune.iterations=3"]


@pytest.mark.parametrize("kills", [4, pytest.param(130, marks=pytest.mark.slow)])
def test_stacks_of_any_composition_at_random_moments(tmp_path, whole, kills):
    """No more than one epoch a member is trained again, and all records are those of one stack left alone."""
    chance, log, done, attempts = random.Random(kills), tmp_path / "log", 0, 0
    log.touch()
    while done < kills:
        methods, seeds = (chance.sample(of, chance.randint(1, len(of))) for of in (METHODS, "012"))
        words = [*LONG, f"prune={','.join(methods)}", f"seed={','.join(seeds)}"]
        child = fork([*words, f"output_dir={tmp_path / str(attempts // 6)}"], lambda: logging_epochs(log))
        size = log.stat().st_size
        end = kill_after(child, lambda: log.stat().st_size > size, chance.uniform(0, 1))  # noqa: B023
        assert end in (0, -signal.SIGKILL)
        done, attempts = done + (end != 0), attempts + 1
        with log.open("a") as file:
            file.write("ended\n")
    words = [*LONG, f"prune={','.join(METHODS)}", "seed=0,1,2"]
    for folder in range((attempts - 1) // 6 + 1):
        assert status_of(fork([*words, f"output_dir={tmp_path / str(folder)}"])) == 0
        assert records(tmp_path / str(folder)) == whole(*words)
        assert left_over(tmp_path / str(folder)) == []
    again = trained_again(log.read_text())
    assert max(again, default=0) <= 1
    print(f"{kills} kills, {sum(again)} member-epochs trained again of {log.read_text().count('epoch')}")


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
