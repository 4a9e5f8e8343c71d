"""What is left to train, how long that takes, and how far a sweep is that is done run by run."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Never

from tqdm import tqdm

from src.execution.progress import Clock
from src.records.timings import Rate, Setting
from src.sweeps.progress import Progress


@dataclass(frozen=True)
class Work:
    """Iterations of runs, and the setting and epochs of the trainings that these take at most, equal ones once."""

    iterations: int
    trainings: Mapping[Hashable, tuple[Setting | None, int]]

    @property
    def epochs(self) -> dict[Setting | None, int]:
        """Epochs of each setting."""
        total: dict[Setting | None, int] = defaultdict(int)
        for setting, epochs in self.trainings.values():
            total[setting] += epochs
        return dict(total)

    def seconds(self, rates: Mapping[Setting, Rate]) -> float | None:
        """Wall time at the measured rates; None where one is not known."""
        total = 0.0
        for setting, epochs in self.epochs.items():
            if setting is None or setting not in rates:
                return None
            total += rates[setting].seconds * epochs
        return total


def work(runs: Iterable[Progress], from_start: bool = False) -> Work:
    """What the runs still need, without what one of them has already trained for all; from_start: what all need."""
    keys = [(run, training_keys(run)) for run in runs]
    done = set() if from_start else {key for run, own in keys for key in own[: run.done]}
    iterations = 0
    left: dict[Hashable, tuple[Setting | None, int]] = {}
    for run, own in keys:
        remaining = own if from_start else [] if run.finished else own[run.done :]
        iterations += len(remaining)
        left |= {key: (run.setting, run.epochs or 0) for key in remaining if key not in done}
    return Work(iterations, left)


def training_keys(run: Progress) -> list[Hashable]:
    """For each iteration of a run a key that trainings share which are certain to be equal: that of iteration 0.

    It depends on no method (PROTOCOL 2.5). The store shares by content and finds more.
    """
    first = run.identity if run.spec is None or run.from_file else run.spec
    return [(first, 0), *((run.identity, t) for t in range(1, run.total))]


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
