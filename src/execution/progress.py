"""What a user sees while runs go on: a bar on a terminal, and lines everywhere."""

import logging
import sys
import time
from typing import Never, Protocol

from tqdm import tqdm

from src.requests import Epoch, Record
from src.store.rows import HEADLINE

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Hears of one run's epochs and iterations."""

    def epoch(self, iteration: int, epoch: Epoch) -> None: ...

    def iteration(self, record: Record) -> None: ...

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

    def iteration(self, record: Record) -> None:
        """An iteration is recorded."""
        self._headline = f", {percent_remaining(record):.3g} % remaining, PQI {_pqi(record):.4f}"
        self._bar.n = (record.iteration + 1) * self._epochs
        self._bar.refresh()
        left = _time_left(self._started, record.iteration + 1 - self._done, self._iterations - record.iteration)
        _say(
            f"{self._name}  iteration {record.iteration}/{self._iterations}  "
            f"accuracy {record.evaluated.test.accuracy:.2f} %{self._headline}  time left {left}"
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
        self._told = -1
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
        if slowest <= self._told or not all(part.record for part in self._parts):
            return
        self._told = slowest
        records = [part.record for part in self._parts if part.record]
        accuracy = [record.evaluated.test.accuracy for record in records]
        percent = [percent_remaining(record) for record in records]
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
        self.record: Record | None = None
        self.epochs_done = done * stack.epochs

    def epoch(self, iteration: int, epoch: Epoch) -> None:
        self.epochs_done = iteration * self._stack.epochs + epoch.epoch + 1

    def iteration(self, record: Record) -> None:
        self.done = record.iteration + 1
        self.record = record
        self.epochs_done = self.done * self._stack.epochs
        self._stack.refresh()

    def close(self) -> None:
        self.done = self._stack.iterations + 1
        self._stack.refresh()


def percent_remaining(record: Record) -> float:
    """Weights that are left, in percent of all prunable ones."""
    alive = sum(int(mask.sum()) for mask in record.masks.values())
    return 100 * alive / sum(mask.numel() for mask in record.masks.values())


def _pqi(record: Record) -> float:
    return float(record.measures.pqi_global[HEADLINE])


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
