"""What is left to train, and how long that takes."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

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
