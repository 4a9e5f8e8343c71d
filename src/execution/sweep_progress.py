"""What a user sees while many runs go on: one after the other, or together."""

from collections.abc import Mapping
from typing import Never

from tqdm import tqdm

from src.execution.progress import Clock, Progress, Row, bar, say
from src.messages import Epoch
from src.records.timings import Rate, Setting
from src.run import Run


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
        return f"{tqdm.format_interval(seconds)} for all" if timed else ""


class StackProgress:
    """One bar over the epochs of many runs, and a line whenever all of them have recorded an iteration."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._parts: list[_Part] = []
        self._said = -1
        self._bar = bar(0, 0)

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
        line = f"{name}{spread}  {self._left()}".rstrip()
        self._bar.set_description_str(line)
        self._bar.update(0)
        if slowest > self._said and len(rows) == len(self._parts):
            self._said = slowest
            say(line)

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
        left = self.clock.left(int((self._bar.total or 0) - self._bar.n))
        return left and most + left


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
