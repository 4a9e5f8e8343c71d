"""The disk that runs and trainings take, and what of it can go."""

import json
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.sweeps.progress import Progress, State


@dataclass(frozen=True)
class Disk:
    """Bytes of the records of these runs, and of all trainings kept to go on with runs and to share."""

    records: int
    trainings: int


def disk(output_dir: Path, runs: Iterable[Progress]) -> Disk:
    """What is used below `output_dir`."""
    return Disk(sum(size(run.folder) for run in runs), size(output_dir / "trainings"))


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where there is nothing. Names of one file share its bytes."""
    if path.is_dir():
        with os.scandir(path) as entries:
            return sum(size(Path(entry)) if entry.is_dir() else _share(entry.stat()) for entry in entries)
    return _share(path.stat()) if path.exists() else 0


def _share(stat: os.stat_result) -> int:
    return stat.st_size // max(stat.st_nlink, 1)


def unneeded(output_dir: Path, runs: Sequence[Progress]) -> list[Path]:
    """Files that none of `runs` refers to: trainings, their checkpoints, and parts of interrupted writes.

    An unfinished run refers to the trainings with its settings that it has not recorded, and to that of iteration 0,
    which later masks and starting states may come from. What cannot be told is kept while any run is unfinished; so
    are parts while one is running.
    """
    busy = any(run.state == State.running for run in runs)
    folders = [] if busy else [output_dir / "runs", output_dir / "trainings"]
    parts = sorted(path for folder in folders for path in folder.rglob(".*.part"))
    trainings = sorted((output_dir / "trainings").rglob("[!.]*.safetensors"))
    unfinished = [run for run in runs if not run.finished]
    return [*parts, *(path for path in trainings if not _is_referred_to(path, unfinished))]


def _is_referred_to(training: Path, unfinished: Sequence[Progress]) -> bool:
    about = _about(training)
    return any(about is None or run.spec is None or _refers(run, *about) for run in unfinished)


def _refers(run: Progress, spec: str, iteration: int) -> bool:
    return spec == run.spec and (iteration == 0 or iteration >= run.done)


def _about(training: Path) -> tuple[str, int] | None:
    """The settings' hash and the iteration that the header of a training's file tells; None where it does not."""
    try:
        with training.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            meta = json.loads(json.loads(file.read(length))["__metadata__"]["json"])
        meta = meta.get("members", {}).get(training.name.partition(".")[0], meta)
        return str(meta["spec"]), int(meta["iteration"])
    except (OSError, KeyError, ValueError, struct.error):
        return None
