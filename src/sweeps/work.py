"""What is left to train, and how long that takes."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from src.experiments.sharing import training_keys
from src.status.standing import Standing
from src.store.timings import Timing, read_timings
from src.training.spec import TrainingSpec

Setting = tuple[str, str, int | None]
"""What the time of an epoch depends on here: data set, model, number of training images (None: all)."""


@dataclass(frozen=True)
class Rate:
    """Seconds an epoch, and where that was measured."""

    seconds: float
    engine: str
    device: str


@dataclass(frozen=True)
class Work:
    """Trainings by key; equal ones are one."""

    trainings: Mapping[Hashable, TrainingSpec]
    iterations: int

    @property
    def epochs(self) -> dict[Setting, int]:
        """Epochs of each setting."""
        total: dict[Setting, int] = defaultdict(int)
        for spec in self.trainings.values():
            total[spec.dataset, spec.model, spec.train_size] += spec.epochs
        return dict(total)

    def seconds(self, rates: Mapping[Setting, Rate]) -> float | None:
        """Wall time at the measured rates; None where one is not known."""
        epochs = self.epochs
        if any(setting not in rates for setting in epochs):
            return None
        return sum(rates[setting].seconds * n for setting, n in epochs.items())


def work(runs: Iterable[Standing], from_start: bool = False) -> Work:
    """What the runs still need, without what one of them has already trained for all; from_start: what all need."""
    jobs = [(run, list(training_keys(run.job))) for run in runs if run.job is not None]
    done = set() if from_start else {key for run, keys in jobs for key in keys[: run.done]}
    left: dict[Hashable, TrainingSpec] = {}
    iterations = 0
    for run, keys in jobs:
        remaining = keys if from_start else keys[run.done :] if not run.finished else []
        iterations += len(remaining)
        assert run.job is not None
        left.update({key: run.job.spec for key in remaining if key not in done})
    return Work(left, iterations)


def measured_rates(output_dir: Path) -> dict[Setting, Rate]:
    """For each setting the mean over the last process that trained it, from `timings.csv` of all runs."""
    rows: dict[Setting, list[Timing]] = defaultdict(list)
    files = sorted((output_dir / "runs").glob("*/timings.csv"), key=lambda path: path.stat().st_mtime_ns)
    for path in files:
        for timing in read_timings(path.parent):
            if timing.epochs > 0:
                rows[timing.dataset, timing.model, timing.train_size].append(timing)
    return {setting: _rate(timings) for setting, timings in rows.items()}


def _rate(timings: list[Timing]) -> Rate:
    last = timings[-1]
    alike = [t for t in timings if (t.engine, t.device) == (last.engine, last.device)]
    return Rate(sum(t.seconds for t in alike) / sum(t.epochs for t in alike), last.engine, last.device)
