"""What the status says, as text and as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from src.status.disk import Disk
from src.status.standing import Standing, by_status
from src.status.work import Rate, Setting, Work

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Report:
    """The runs asked for, all their trainings where these are known, those left, the rates, and the disk used."""

    runs: Sequence[Standing]
    whole: Work | None
    left: Work
    rates: Mapping[Setting, Rate]
    disk: Disk

    def text(self) -> str:
        """For people: a line per run that is not finished, then the sums."""
        width = max((len(run.name) for run in self.runs), default=0)
        lines = [f"{run.name:{width}}  {_standing(run)}" for run in self.runs if not run.finished]
        counts = ", ".join(f"{count} {status}" for status, count in by_status(self.runs).items() if count)
        lines.append(f"{_plural(len(self.runs), 'run')}{counts and f': {counts}'}")
        if self.whole:
            lines.append(f"all of them: {_amount(self.whole)}")
        lines.append(f"left to do:  {_amount(self.left)}{self._time()}")
        records, trainings = bytes_text(self.disk.records), bytes_text(self.disk.trainings)
        lines.append(f"disk: {records} of records, {trainings} of trainings kept to go on and to share")
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """For scripts: the same as JSON."""
        return {
            "runs": [
                {
                    "name": run.name,
                    "folder": str(run.folder),
                    "status": run.status.value,
                    "iterations_done": run.done,
                    "iterations_total": run.total,
                    "reason": run.reason,
                }
                for run in self.runs
            ],
            "counts": {status.value: count for status, count in by_status(self.runs).items()},
            "all": _work_data(self.whole) if self.whole else None,
            "left": {**_work_data(self.left), "seconds": self.left.seconds(self.rates)},
            "seconds_per_epoch": {
                "-".join(map(str, setting[:2])): rate.seconds for setting, rate in self.rates.items()
            },
            "disk_bytes": {"records": self.disk.records, "trainings": self.disk.trainings},
        }

    def _time(self) -> str:
        epochs = self.left.epochs
        if not epochs:
            return ""
        known = [
            f"{setting[0]}-{setting[1]} {rate.seconds:.3g} s ({rate.engine}, {rate.device})"
            for setting, rate in self.rates.items()
            if setting in epochs
        ]
        unknown = [f"{dataset}-{model}" for dataset, model, size in epochs if (dataset, model, size) not in self.rates]
        seconds = self.left.seconds(self.rates)
        total = "" if seconds is None else f"\ntime left: {duration(seconds)} one after the other"
        measured = f"\nan epoch takes: {', '.join(known)}" if known else ""
        missing = f"\nno epoch timed yet here: {', '.join(unknown)}" if unknown else ""
        return total + measured + missing


def duration(seconds: float) -> str:
    """A time in its two largest units.

    >>> duration(95), duration(3 * 3600 + 61), duration(90000)
    ('1 min 35 s', '3 h 1 min', '1 d 1 h')
    """
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    for unit, small, names in ((DAY, HOUR, ("d", "h")), (HOUR, MINUTE, ("h", "min")), (MINUTE, 1, ("min", "s"))):
        if seconds >= unit:
            return f"{int(seconds // unit)} {names[0]} {int(seconds % unit // small)} {names[1]}"
    raise AssertionError(seconds)


def bytes_text(count: int) -> str:
    """Bytes with a decimal prefix.

    >>> bytes_text(999), bytes_text(1_500_000)
    ('999 B', '1.5 MB')
    """
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def _standing(run: Standing) -> str:
    reason = f": {run.reason.splitlines()[0]}" if run.reason else ""
    return f"{run.status:11} {run.done:2} of {run.total} iterations{reason}"


def _amount(work: Work) -> str:
    counts = (work.iterations, len(work.trainings), sum(work.epochs.values()))
    iterations, trainings, epochs = map(_plural, counts, ("iteration", "training", "epoch"))
    return f"{iterations}, {trainings} after sharing, {epochs}"


def _work_data(work: Work) -> dict[str, int]:
    return {"iterations": work.iterations, "trainings": len(work.trainings), "epochs": sum(work.epochs.values())}


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
