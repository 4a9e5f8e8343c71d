"""What is said of runs that go on: at which rate, how long still, and in how many columns."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from src.execution import progress
from src.execution.progress import Clock, RunProgress, begin_sweep
from src.execution.sweep_progress import StackProgress, SweepProgress
from src.records.timings import Rate

SETTING = ("digits", "mlp", None)


def run(short: str = "sap-0.5-1-0.001-1", iterations: int = 30, epochs: int = 2) -> SimpleNamespace:
    """The part of a run that is looked at."""
    config = SimpleNamespace(
        prune=SimpleNamespace(short=short),
        choices={"trainer": "quick"},
    )
    spec = SimpleNamespace(epochs=epochs)
    about = {"config": config, "spec": spec, "setting": SETTING, "name": "run", "output_dir": Path("none")}
    return SimpleNamespace(iterations=iterations, **about)


def epoch(number: int) -> SimpleNamespace:
    return SimpleNamespace(epoch=number, test=SimpleNamespace(accuracy=85.0))


def row(iteration: int, percent: float = 12.345) -> dict[str, float]:
    return {"iteration": iteration, "retrained_accuracy": 85.52, "retrained_pqi": 0.07571, "percent_remaining": percent,
            "remaining": 1000, "pruned_count": 500, "total": 8000}  # fmt: skip


def test_the_first_epoch_warms_up_and_stands_only_until_there_is_another():
    clock = Clock()
    clock.add(4.0)
    assert (clock.known, clock.seconds) == (False, 4.0)
    clock.add(0.5)
    clock.add(0.7)
    assert (clock.known, clock.seconds) == (True, pytest.approx(0.6))


def test_a_long_epoch_tells_the_rate_at_once():
    clock = Clock()
    clock.add(60.0)
    assert clock.known
    assert clock.left(60) == "1:00:00 left"


def test_a_stack_has_its_own_rate_as_soon_as_there_is_one():
    """One dense training that all wait for is no measure of what an epoch costs in a stack."""
    clock = Clock()
    for _ in range(5):
        clock.add(3.0)
    for _ in range(4 * 2):
        clock.add(1.0, members=4)
    clock.add(3.0)  # a training alone, later
    assert clock.seconds == 1.0


def test_until_then_the_time_is_a_bound(caplog):
    caplog.set_level(logging.INFO)
    stack = StackProgress()
    parts = [stack.add(run("sap"), 0), stack.add(run("os"), 0)]
    for e in range(2):
        for part in parts:
            part.epoch(0, epoch(e), 6.0)
    for part in parts:
        part.iteration(row(0, 100.0))
    for e in range(2):
        for part in parts:
            part.epoch(1, epoch(e), 2.0, 2)
    for part in parts:
        part.iteration(row(1, 80.0))
    first, second = caplog.messages
    assert first.endswith("100 % remaining  at most 12:00 left")
    assert second.endswith("80 % remaining  03:52 left")
    stack.close()


def test_no_time_is_told_before_there_is_an_epoch(caplog):
    """As where the dense training was taken over from the store."""
    caplog.set_level(logging.INFO)
    alone, stack = RunProgress(run(), 0), StackProgress()
    parts = [stack.add(run(), 0), stack.add(run("os"), 0)]
    for shown in (alone, *parts):
        shown.iteration(row(0, 100.0))
    assert caplog.messages[-2].endswith("PQI 0.076")
    assert caplog.messages[-1].endswith("100 % remaining")
    alone.close()
    stack.close()


def test_a_sweep_is_told_as_one(caplog):
    caplog.set_level(logging.INFO)
    begin_sweep(SweepProgress(2, {SETTING: 124}, {SETTING: Rate(1.0, "solo", "cpu")}))
    try:
        shown = RunProgress(run(), 0)
        shown.epoch(0, epoch(0), 4.0)
        shown.epoch(0, epoch(1), 2.0)
        shown.iteration(row(0))
        shown.close()
    finally:
        begin_sweep(None)
    assert caplog.messages[0] == "1/2 run"
    assert caplog.messages[1].endswith("04:04 for all")
    assert progress.sweep is None


def test_a_line_fits_a_terminal(caplog):
    caplog.set_level(logging.INFO)
    shown = RunProgress(run("sap-0.5-1-0-1"), 0)
    shown.epoch(29, epoch(1), 3000.0)
    shown.iteration(row(29))
    shown.close()
    assert len(caplog.messages[-1]) <= 82
    assert caplog.messages[-1].startswith("sap-0.5-1-0-1  29/30  accuracy 85.52 %  12.3 % remaining  PQI 0.076")
