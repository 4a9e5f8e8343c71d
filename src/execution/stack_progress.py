"""What a user sees while many runs advance together."""

from src.execution.progress import Clock, Progress, Row, bar, say
from src.messages import Epoch
from src.run import Run


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
        self._bar.set_description_str(f"{name}{spread}  {self._left()}")
        self._bar.update(0)
        if slowest > self._said and len(rows) == len(self._parts):
            self._said = slowest
            say(f"{name}{spread}  {self._left()}")

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
