"""How long a run's trainings took: `timings.csv` beside the records, never compared with those of another machine."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from src.files import csv_text, read_rows

FILE = "timings.csv"

SHORT_EPOCHS, LESS = 3, "trainer=quick or trainer.epochs=3"
"""Epochs of the shortest training worth looking at, and how to ask for it."""

Setting = tuple[str, str, int | None]
"""What the time of an epoch depends on here: data set, model, number of training images (None: all)."""


@dataclass(frozen=True)
class Timing:
    """One iteration as a process did it.

    epochs: those trained for it by this process, 0 where it came from the store; seconds: wall time of these epochs,
    for a member of a stack its share of the stack's; engine: `solo` or `stacked`; device: as PyTorch names its kind,
    `cpu` or `cuda`.
    """

    iteration: int
    epochs: int
    seconds: float
    dataset: str
    model: str
    train_size: int | None
    engine: str
    device: str


class Stopwatch:
    """Adds up the epochs of one run in one process; a row per iteration."""

    def __init__(self, folder: Path, setting: Setting, device: str) -> None:
        self._folder = folder
        self._setting = setting
        self._device = device
        self._engine = "solo"
        self._epochs = 0
        self._seconds = 0.0

    def epoch(self, seconds: float, members: int) -> None:
        """An epoch has ended that took `seconds`, its share where `members` trainings advance together."""
        self._engine = "solo" if members == 1 else "stacked"
        self._seconds += seconds
        self._epochs += 1

    def iteration(self, iteration: int) -> None:
        """An iteration is recorded: add its row."""
        timing = Timing(iteration, self._epochs, self._seconds, *self._setting, self._engine, self._device)
        append_timing(self._folder, timing)
        self._epochs, self._seconds = 0, 0.0


def append_timing(folder: Path, timing: Timing) -> None:
    """Add a row; a run that is resumed adds to those of the processes before it."""
    path = folder / FILE
    with path.open("a", newline="", encoding="utf-8") as file:
        file.write(csv_text([{**asdict(timing), "seconds": f"{timing.seconds:.3f}"}], header=file.tell() == 0))


def read_timings(folder: Path) -> Iterator[Timing]:
    """The rows of a run's folder; those that are not whole, as a killed process may leave them, are passed over."""
    try:
        rows = read_rows(folder / FILE)
    except (OSError, ValueError, csv.Error):
        return
    for row in rows:
        if None in row or None in row.values():
            continue
        try:
            size = int(row["train_size"]) if row["train_size"] else None
            setting = (row["dataset"], row["model"], size, row["engine"], row["device"])
            yield Timing(int(row["iteration"]), int(row["epochs"]), float(row["seconds"]), *setting)
        except (KeyError, ValueError):
            continue


@dataclass(frozen=True)
class Rate:
    """Seconds an epoch, and where that was measured."""

    seconds: float
    engine: str
    device: str


def measured_rates(output_dir: Path, runs: str = "*") -> dict[Setting, Rate]:
    """For each setting the mean over the last process that trained it, from `timings.csv` of all runs so named."""
    rows: dict[Setting, list[Timing]] = defaultdict(list)
    files = sorted((output_dir / "runs").glob(f"{runs}/{FILE}"), key=lambda path: path.stat().st_mtime_ns)
    for path in files:
        for timing in read_timings(path.parent):
            if timing.epochs > 0:
                rows[timing.dataset, timing.model, timing.train_size].append(timing)
    return {setting: _rate(timings) for setting, timings in rows.items()}


def _rate(timings: list[Timing]) -> Rate:
    last = timings[-1]
    alike = [t for t in timings if (t.engine, t.device) == (last.engine, last.device)]
    return Rate(sum(t.seconds for t in alike) / sum(t.epochs for t in alike), last.engine, last.device)


def duration(seconds: float) -> str:
    """A time in its two largest units.

    >>> duration(95), duration(3 * 3600 + 61), duration(90000)
    ('1 min 35 s', '3 h 1 min', '1 d 1 h')
    """
    for unit, small, names in ((86400, 3600, ("d", "h")), (3600, 60, ("h", "min")), (60, 1, ("min", "s"))):
        if seconds >= unit:
            return f"{int(seconds // unit)} {names[0]} {int(seconds % unit // small)} {names[1]}"
    return f"{seconds:.0f} s"
