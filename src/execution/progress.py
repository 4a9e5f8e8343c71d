"""What a user sees while runs go on: a bar on a terminal, and lines everywhere."""

import logging
import sys
from collections import deque
from collections.abc import Mapping
from typing import Any, Never, Protocol

from tqdm import tqdm

from src.messages import Epoch
from src.records.timings import LESS, SHORT_EPOCHS, Rate, Setting, duration, measured_rates
from src.run import Run

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
    config, epochs = run.config, run.spec.epochs
    setting = config.dataset.short, config.model.short, config.dataset.train_size
    rate = measured_rates(run.output_dir, f"{setting[0]}-{setting[1]}-*").get(setting)
    left = run.iterations + 1 - done
    time = f"about {duration(rate.seconds * left * epochs)} here" if rate else UNKNOWN
    trainer = f"trainer={config.choices['trainer']}: " if "trainer" in config.choices else ""
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
        """For so many more epochs."""
        return f"{tqdm.format_interval(self.seconds * epochs)} left"


class SweepProgress:
    """Where the runs of a sweep are that are done one after the other in this process, and how long they all take."""

    def __init__(self, runs: int, epochs: Mapping[Setting | None, int], rates: Mapping[Setting, Rate]) -> None:
        self._runs = runs
        self._epochs = dict(epochs)
        self._total = sum(self._epochs.values())
        self._rates = rates
        self._clocks: dict[Setting | None, Clock] = {}
        self.number = 0

    @property
    def place(self) -> str:
        """`3/16 `, of the runs."""
        return f"{self.number}/{self._runs} "

    def begin(self) -> None:
        """The next run."""
        self.number += 1

    def epoch(self, setting: Setting, seconds: float) -> None:
        """An epoch has ended."""
        self._clocks.setdefault(setting, Clock()).add(seconds)
        self._epochs[setting] = max(0, self._epochs.get(setting, 0) - 1)

    def show(self, bar: "tqdm[Never]") -> None:
        """Put the bar where the whole sweep is."""
        bar.total, bar.n = self._total, self._total - sum(self._epochs.values())

    def left(self) -> str:
        """For all runs; of networks that were never timed as long as for those that were."""
        timed = {s: c.seconds for s, c in self._clocks.items() if c.known}
        timed = {**{s: rate.seconds for s, rate in self._rates.items()}, **timed}
        mean = sum(timed.values()) / max(len(timed), 1)
        seconds = sum(timed.get(s, mean) * count if s else mean * count for s, count in self._epochs.items())
        return f"{tqdm.format_interval(seconds)} for all"


sweep: SweepProgress | None = None
"""The sweep that this process does one run after the other, where it does one; `src.sweeps` says so."""


def begin_sweep(progress: SweepProgress | None) -> None:
    """From now on runs belong to this sweep, or to none."""
    global sweep
    sweep = progress


class RunProgress:
    """A bar over all epochs of a run, or of its sweep's, and a line per iteration; `done` iterations were before."""

    def __init__(self, run: Run, done: int) -> None:
        config = run.config
        self._name = config.prune.short
        self._setting = config.dataset.short, config.model.short, config.dataset.train_size
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
        self._bar = _bar(self._total, done * self._epochs)
        self._show(f"{sweep.place if sweep else ''}{self._name}", done * self._epochs)

    def epoch(self, iteration: int, epoch: Epoch, seconds: float, members: int = 1) -> None:
        """An epoch has ended."""
        self._clock.add(seconds, members)
        if sweep:
            sweep.epoch(self._setting, seconds)
        self._done = iteration * self._epochs + epoch.epoch + 1
        if self._is_timed_first and self._clock.known:
            _say(f"an epoch takes {self._clock.seconds:.2g} s here: {self._left()}")
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
        _say(_line(f"{self._name}  {t}/{self._last}", row, self._left()))

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


def _line(name: str, row: Row, left: str) -> str:
    """An iteration in at most 80 columns, for names of up to 13 letters."""
    return (
        f"{name}  accuracy {row['retrained_accuracy']:.2f} %  {row['percent_remaining']:.3g} % remaining  "
        f"PQI {row['retrained_pqi']:.3f}  {left}"
    )


class StackProgress:
    """One bar over the epochs of many runs, and a line whenever all of them have recorded an iteration."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._parts: list[_Part] = []
        self._said = -1
        self._bar = _bar(0, 0)

    def add(self, run: Run, done: int) -> Progress:
        """The progress of one run, which has recorded `done` iterations."""
        self._parts.append(_Part(self, run, done))
        self._bar.total = sum(part.total for part in self._parts)
        self._bar.set_description_str(f"{len(self._parts)} runs")
        return self._parts[-1]

    def refresh(self) -> None:
        """Show where all runs are."""
        self._bar.n = sum(part.done for part in self._parts)
        going = [part for part in self._parts if part.done < part.total] or self._parts
        slowest = min(part.iterations for part in going) - 1
        rows = [part.row for part in self._parts if part.row]
        name = f"{len(self._parts)} runs  {max(slowest, 0)}/{max(part.last for part in self._parts)}"
        spread = _spread(rows) if rows else ""
        self._bar.set_description_str(f"{name}{spread}  {self._left()}")
        self._bar.update(0)
        if slowest > self._said and len(rows) == len(self._parts):
            self._said = slowest
            _say(f"{name}{spread}  {self._left()}")

    def epoch(self) -> None:
        """An epoch of all that train has ended for one more run."""
        self._bar.n = sum(part.done for part in self._parts)
        self._bar.update(0)

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()

    def _left(self) -> str:
        """At the stack's own rate; that of one training alone, which many wait for at first, is only a bound."""
        most = "" if self.clock.stacked or len(self._parts) == 1 else "at most "
        return most + self.clock.left(int((self._bar.total or 0) - self._bar.n))


def _spread(rows: list[Row]) -> str:
    ranges = []
    for key, form in (("retrained_accuracy", ".1f"), ("percent_remaining", ".3g")):
        values = [row[key] for row in rows]
        ranges.append("-".join(dict.fromkeys([f"{min(values):{form}}", f"{max(values):{form}}"])))
    return f"  accuracy {ranges[0]} %  {ranges[1]} % remaining"


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

    def epoch(self, iteration: int, epoch: Epoch, seconds: float, members: int = 1) -> None:
        self._stack.clock.add(seconds, members)
        self.done = iteration * self._epochs + epoch.epoch + 1
        self._stack.epoch()

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


def _bar(total: int, done: int) -> "tqdm[Never]":
    return tqdm(
        total=total,
        initial=done,
        disable=None,
        bar_format="{percentage:3.0f}% {bar:6} {desc}",
        dynamic_ncols=True,
        leave=False,
        file=sys.stderr,
    )
