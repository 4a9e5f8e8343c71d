"""What a user sees while runs go on: a bar on a terminal, and lines everywhere."""

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any, Never, Protocol

from tqdm import tqdm

from src.messages import Epoch

log = logging.getLogger(__name__)


Row = Mapping[str, Any]
"""A row of `iterations.csv`."""


class Progress(Protocol):
    """Hears of one run's epochs and iterations."""

    def epoch(self, iteration: int, epoch: Epoch) -> None: ...

    def iteration(self, row: Row) -> None: ...

    def close(self) -> None: ...


class RunProgress:
    """A bar over all epochs of a run, and a line per iteration; `done` iterations were there before."""

    def __init__(self, name: str, iterations: int, epochs: int, done: int) -> None:
        self._name = name
        self._iterations = iterations
        self._epochs = epochs
        self._done = done
        self._started = time.monotonic()
        self._headline = ""
        self._bar = _bar(name, (iterations + 1) * epochs, done * epochs)

    def epoch(self, iteration: int, epoch: Epoch) -> None:
        """An epoch has ended."""
        done = epoch.epoch + 1
        self._bar.n = iteration * self._epochs + done
        self._bar.set_postfix_str(
            f"iteration {iteration}/{self._iterations}, epoch {done}/{self._epochs}, "
            f"accuracy {epoch.test.accuracy:.2f} %{self._headline}"
        )

    def iteration(self, row: Row) -> None:
        """An iteration is recorded."""
        t = row["iteration"]
        self._headline = f", {row['percent_remaining']:.3g} % remaining, PQI {row['retrained_pqi']:.4f}"
        self._bar.n = (t + 1) * self._epochs
        self._bar.refresh()
        left = _time_left(self._started, t + 1 - self._done, self._iterations - t)
        _say(
            f"{self._name}  iteration {t}/{self._iterations}  "
            f"accuracy {row['retrained_accuracy']:.2f} %{self._headline}  time left {left}"
        )

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()


class StackProgress:
    """One bar over the epochs of many runs, and a line whenever all of them have recorded an iteration."""

    def __init__(self, iterations: int, epochs: int) -> None:
        self.iterations = iterations
        self.epochs = epochs
        self._parts: list[_Part] = []
        self._started = time.monotonic()
        self._said = -1
        self._bar = _bar("stack", 0, 0)

    def add(self, _run: object, done: int) -> Progress:
        """The progress of one run, which has recorded `done` iterations."""
        self._parts.append(_Part(self, done))
        self._bar.total = len(self._parts) * (self.iterations + 1) * self.epochs
        return self._parts[-1]

    def refresh(self) -> None:
        """Show where all runs stand."""
        self._bar.n = sum(part.epochs_done for part in self._parts)
        self._bar.update(0)
        slowest = min(part.done for part in self._parts) - 1
        if slowest <= self._said or not all(part.row for part in self._parts):
            return
        self._said = slowest
        rows = [part.row for part in self._parts if part.row]
        accuracy = [row["retrained_accuracy"] for row in rows]
        percent = [row["percent_remaining"] for row in rows]
        first = min(part.first for part in self._parts)
        left = _time_left(self._started, slowest + 1 - first, self.iterations - slowest)
        _say(
            f"{len(self._parts)} runs  iteration {slowest}/{self.iterations}  accuracy {min(accuracy):.2f} to "
            f"{max(accuracy):.2f} %, {min(percent):.3g} to {max(percent):.3g} % remaining  time left {left}"
        )

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()


class _Part:
    """One run of a stack."""

    def __init__(self, stack: StackProgress, done: int) -> None:
        self._stack = stack
        self.first = self.done = done
        self.row: Row | None = None
        self.epochs_done = done * stack.epochs

    def epoch(self, iteration: int, epoch: Epoch) -> None:
        self.epochs_done = iteration * self._stack.epochs + epoch.epoch + 1

    def iteration(self, row: Row) -> None:
        self.done = row["iteration"] + 1
        self.row = row
        self.epochs_done = self.done * self._stack.epochs
        self._stack.refresh()

    def close(self) -> None:
        self.done = self._stack.iterations + 1
        self._stack.refresh()


def _time_left(started: float, done: int, left: int) -> str:
    return str(tqdm.format_interval((time.monotonic() - started) / max(done, 1) * left))


def _say(line: str) -> None:
    with tqdm.external_write_mode(file=sys.stdout):
        log.info(line)


def _bar(name: str, total: int, done: int) -> "tqdm[Never]":
    return tqdm(
        total=total,
        initial=done,
        disable=None,
        unit="epoch",
        desc=name,
        dynamic_ncols=True,
        leave=False,
        file=sys.stderr,
    )
