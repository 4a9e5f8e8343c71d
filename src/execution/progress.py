"""What a user sees while runs go on: a bar on a terminal, and lines everywhere."""

import logging
import sys
from collections.abc import Mapping
from typing import Any, Never, Protocol

from tqdm import tqdm

from src.messages import Epoch
from src.records.timings import LESS, SHORT_EPOCHS, duration, measured_rates
from src.run import Run

log = logging.getLogger(__name__)

UNKNOWN = "in a time known after the first epoch"

Row = Mapping[str, Any]
"""A row of `iterations.csv`."""


def outlook(run: Run, done: int) -> str:
    """What a run has before it, how long that takes at the rate measured here, and how to ask for less."""
    config, epochs = run.config, run.spec.epochs
    setting = config.dataset.short, config.model.short, config.dataset.train_size
    rate = measured_rates(run.output_dir, f"{setting[0]}-{setting[1]}-*").get(setting)
    left = run.iterations + 1 - done
    time = f"about {duration(rate.seconds * left * epochs)} here" if rate else UNKNOWN
    trainer = f"trainer={config.choices['trainer']}: " if "trainer" in config.choices else ""
    less = f"; for less: {LESS}" if epochs > SHORT_EPOCHS else ""
    return f"{trainer}{left} trainings of {epochs} epochs, {time}{less}"


class Progress(Protocol):
    """Hears of one run's epochs, with the seconds that each took, and of its iterations."""

    def epoch(self, iteration: int, epoch: Epoch, seconds: float) -> None: ...

    def iteration(self, row: Row) -> None: ...

    def close(self) -> None: ...


class Clock:
    """Tells the time that is left, from the epochs of this process."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._epochs = 0

    def add(self, seconds: float) -> None:
        """An epoch took so long."""
        self._seconds += seconds
        self._epochs += 1

    def left(self, epochs: int) -> str:
        """For so many more epochs."""
        return f"{tqdm.format_interval(self._seconds / max(self._epochs, 1) * epochs)} left"


class RunProgress:
    """A bar over all epochs of a run, and a line per iteration; `done` iterations were there before."""

    def __init__(self, run: Run, done: int) -> None:
        self._name = run.config.prune.short
        self._last = run.iterations
        self._epochs = run.spec.epochs
        self._total = (run.iterations + 1) * self._epochs
        self._clock = Clock()
        first_line = outlook(run, done)
        log.info("%s", first_line)
        self._is_timed_first = UNKNOWN in first_line and self._total > 1
        self._bar = _bar(self._name, self._total, done * self._epochs)

    def epoch(self, iteration: int, epoch: Epoch, seconds: float) -> None:
        """An epoch has ended."""
        self._clock.add(seconds)
        self._bar.n = iteration * self._epochs + epoch.epoch + 1
        if self._is_timed_first:
            _say(f"an epoch takes {seconds:.2g} s here: {self._clock.left(int(self._total - self._bar.n))}")
            self._is_timed_first = False
        left = self._clock.left(int(self._total - self._bar.n))
        self._bar.set_postfix_str(f"{iteration}/{self._last}  {epoch.test.accuracy:.2f} %  {left}")

    def iteration(self, row: Row) -> None:
        """An iteration is recorded."""
        t = row["iteration"]
        self._bar.n = (t + 1) * self._epochs
        self._bar.refresh()
        left = self._clock.left(int(self._total - self._bar.n))
        _say(
            f"{self._name}  {t}/{self._last}  accuracy {row['retrained_accuracy']:.2f} %  "
            f"{row['percent_remaining']:.3g} % remaining  PQI {row['retrained_pqi']:.4f}  {left}"
        )

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()


class StackProgress:
    """One bar over the epochs of many runs, and a line whenever all of them have recorded an iteration."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._parts: list[_Part] = []
        self._said = -1
        self._bar = _bar("stack", 0, 0)

    def add(self, run: Run, done: int) -> Progress:
        """The progress of one run, which has recorded `done` iterations."""
        self._parts.append(_Part(self, run, done))
        self._bar.total = sum(part.total for part in self._parts)
        return self._parts[-1]

    def refresh(self) -> None:
        """Show where all runs are."""
        self._bar.n = sum(part.done for part in self._parts)
        self._bar.update(0)
        going = [part for part in self._parts if part.done < part.total] or self._parts
        slowest = min(part.iterations for part in going) - 1
        rows = [part.row for part in self._parts if part.row]
        if slowest <= self._said or len(rows) < len(self._parts):
            return
        self._said = slowest
        accuracy = [row["retrained_accuracy"] for row in rows]
        percent = [row["percent_remaining"] for row in rows]
        left = self.clock.left(int((self._bar.total or 0) - self._bar.n))
        _say(
            f"{len(self._parts)} runs  {slowest}/{max(part.last for part in self._parts)}  "
            f"accuracy {min(accuracy):.2f} to {max(accuracy):.2f} %  "
            f"{min(percent):.3g} to {max(percent):.3g} % remaining  {left}"
        )

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()


class _Part:
    """One run of a stack."""

    def __init__(self, stack: StackProgress, run: Run, done: int) -> None:
        self._stack = stack
        self._epochs = run.spec.epochs
        self.last = run.iterations
        self.total = (run.iterations + 1) * self._epochs
        self.iterations = done
        self.done = done * self._epochs
        self.row: Row | None = None

    def epoch(self, iteration: int, epoch: Epoch, seconds: float) -> None:
        self._stack.clock.add(seconds)
        self.done = iteration * self._epochs + epoch.epoch + 1

    def iteration(self, row: Row) -> None:
        self.row = row
        self.iterations = row["iteration"] + 1
        self.done = self.iterations * self._epochs
        self._stack.refresh()

    def close(self) -> None:
        self.done = self.total
        self._stack.refresh()


def _say(line: str) -> None:
    with tqdm.external_write_mode(file=sys.stdout):
        log.info(line)


def _bar(name: str, total: int, done: int) -> "tqdm[Never]":
    return tqdm(
        total=total,
        initial=done,
        disable=None,
        desc=name[:24],
        bar_format="{desc} {percentage:3.0f}%|{bar:12}| {postfix}",
        dynamic_ncols=True,
        leave=False,
        file=sys.stderr,
    )
