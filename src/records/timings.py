"""How long a run's trainings took: `timings.csv` beside the records, never compared with those of another machine."""

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = "timings.csv"


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

    def __init__(self, folder: Path, dataset: str, model: str, train_size: int | None, device: str) -> None:
        self._folder = folder
        self._setting = (dataset, model, train_size)
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
        writer = csv.DictWriter(file, [field.name for field in fields(Timing)], lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow({**asdict(timing), "seconds": f"{timing.seconds:.3f}"})


def read_timings(folder: Path) -> Iterator[Timing]:
    """The rows of a run's folder; those that are not whole, as a killed process may leave them, are passed over."""
    try:
        with (folder / FILE).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
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
