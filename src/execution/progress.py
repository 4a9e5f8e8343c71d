"""What a user sees while runs go on: a bar on a terminal, and lines everywhere."""

import logging
import sys
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Never, Protocol

from tqdm import tqdm

from src.messages import Epoch
from src.records.timings import LESS, SHORT_EPOCHS, duration, measured_rates
from src.run import Run

if TYPE_CHECKING:
    from src.execution.sweep_progress import SweepProgress

log = logging.getLogger(__name__)

UNKNOWN = "in a time known after the first epoch"

RECENT = 1000
"""How many of the latest epochs tell how long an epoch takes: masks, and so times, change along pruning."""
LONG_S = 5.0
"""An epoch of so many seconds tells the rate at once; of shorter ones the first warms up."""

Row = Mapping[str, Any]
"""A row of `iterations.csv`."""


def outlook(run: Run, done: int) -> str:
    """What a run has before it, how long that takes at the rate measured here, and how to ask for less."""
    choices, epochs = run.config.choices, run.spec.epochs
    dataset, model, _ = run.setting
    rate = measured_rates(run.output_dir, f"{dataset}-{model}-*").get(run.setting)
    left = run.iterations + 1 - done
    time = f"about {duration(rate.seconds * left * epochs)} here" if rate else UNKNOWN
    trainer = f"trainer={choices['trainer']}: " if "trainer" in choices else ""
    less = f"; for less: {LESS}" if epochs > SHORT_EPOCHS else ""
    return f"{trainer}{left} trainings of {epochs} epochs, {time}{less}"


class Progress(Protocol):
    """Hears of a run's epochs, with the seconds each took and how many trained together, and of its iterations."""

    def epoch(self, iteration: int, epoch: Epoch, seconds: float, members: int = 1) -> None: ...

    def iteration(self, row: Row) -> None: ...

    def close(self) -> None: ...


class Clock:
    """Tells the time that is left, from the latest epochs of this process.

    The first epoch stands only until there is a second. What trains in a stack is told by epochs of stacks alone, as
    soon as there are any: an epoch costs a fraction there.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self._latest: deque[float] = deque(maxlen=RECENT)
        self._warming = 0
        self.stacked = False

    def add(self, seconds: float, members: int = 1) -> None:
        """An epoch took so long, its share where `members` trained together."""
        if members > 1 and not self.stacked:
            self._first, self.stacked = None, True
            self._latest.clear()
        elif members == 1 and self.stacked:
            return
        if self._first is None:
            self._first, self._warming = seconds, members
        if self._warming and seconds * members < LONG_S:
            self._warming -= 1  # of each member of the first epoch
        else:
            self._latest.append(seconds)

    @property
    def known(self) -> bool:
        """Whether there is an epoch that was no warming up."""
        return bool(self._latest)

    @property
    def seconds(self) -> float:
        """Of an epoch, the mean of the latest."""
        return sum(self._latest) / len(self._latest) if self._latest else self._first or 0.0

    def left(self, epochs: int) -> str:
        """For so many more epochs; nothing where none has ended yet, as where the first training was taken over."""
        return f"{tqdm.format_interval(self.seconds * epochs)} left" if self.seconds else ""


sweep: "SweepProgress | None" = None
"""The sweep that this process does one run after the other, where it does one; `src.sweeps` says so."""


def begin_sweep(progress: "SweepProgress | None") -> None:
    """From now on runs belong to this sweep, or to none."""
    global sweep
    sweep = progress


class RunProgress:
    """A bar over all epochs of a run, or of its sweep's, and a line per iteration; `done` iterations were before."""

    def __init__(self, run: Run, done: int) -> None:
        self._name = run.config.prune.short
        self._setting = run.setting
        self._last = run.iterations
        self._epochs = run.spec.epochs
        self._total = (run.iterations + 1) * self._epochs
        self._clock = Clock()
        self._percent = ""
        self._is_timed_first = False
        if sweep:
            sweep.begin()
            log.info("%s%s", sweep.place, run.name)
        else:
            first_line = outlook(run, done)
            log.info("%s", first_line)
            self._is_timed_first = UNKNOWN in first_line and self._total > 1
        self._bar = bar(self._total, done * self._epochs)
        self._show(f"{sweep.place if sweep else ''}{self._name}", done * self._epochs)

    def epoch(self, iteration: int, epoch: Epoch, seconds: float, members: int = 1) -> None:
        """An epoch has ended."""
        self._clock.add(seconds, members)
        if sweep:
            sweep.epoch(self._setting, seconds)
        self._done = iteration * self._epochs + epoch.epoch + 1
        if self._is_timed_first and self._clock.known:
            say(f"an epoch takes {self._clock.seconds:.2g} s here: {self._left()}")
            self._is_timed_first = False
        place = sweep.place if sweep else ""
        at = f"{place}{self._name}  {iteration}/{self._last}"
        self._show(f"{at}  {epoch.test.accuracy:.2f} %{self._percent}  {self._left()}", self._done)

    def iteration(self, row: Row) -> None:
        """An iteration is recorded."""
        t, gone = row["iteration"], row.get("pruned_count")
        self._done = (t + 1) * self._epochs
        if gone is not None and row.get("total"):
            self._percent = f"  {100 * (row['remaining'] - gone) / row['total']:.3g} % remaining"
        say(  # at most 80 columns, for names of up to 13 letters
            f"{self._name}  {t}/{self._last}  accuracy {row['retrained_accuracy']:.2f} %  "
            f"{row['percent_remaining']:.3g} % remaining  PQI {row['retrained_pqi']:.3f}  {self._left()}".rstrip()
        )

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()

    def _show(self, text: str, done: int) -> None:
        self._done = self._bar.n = done
        if sweep:
            sweep.show(self._bar)
        self._bar.set_description_str(text)

    def _left(self) -> str:
        return sweep.left() if sweep else self._clock.left(self._total - self._done)


def say(line: str) -> None:
    with tqdm.external_write_mode(file=sys.stdout):
        log.info(line)


def bar(total: int, done: int) -> "tqdm[Never]":
    return tqdm(total=total, initial=done, disable=None, bar_format="{percentage:3.0f}% {bar:6} {desc}",
                dynamic_ncols=True, leave=False, file=sys.stderr)  # fmt: skip
