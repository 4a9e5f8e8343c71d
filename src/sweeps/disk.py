"""The disk that runs and trainings take, and what of it can go."""

import json
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.status.standing import Standing, Status
from src.store.digest import digest, settings_of


@dataclass(frozen=True)
class Disk:
    """Bytes of the records of these runs, and of all trainings kept to go on with runs and to share."""

    records: int
    trainings: int


def disk(output_dir: Path, runs: Iterable[Standing]) -> Disk:
    """What is used below `output_dir`."""
    return Disk(sum(size(run.folder) for run in runs), size(output_dir / "trainings"))


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where there is nothing."""
    if path.is_dir():
        with os.scandir(path) as entries:
            return sum(size(Path(entry)) if entry.is_dir() else entry.stat().st_size for entry in entries)
    return path.stat().st_size if path.exists() else 0


def unneeded(output_dir: Path, runs: Sequence[Standing]) -> list[Path]:
    """Files that none of `runs` needs to go on: trainings, their checkpoints, and parts of interrupted writes.

    A training is needed by a run with its settings that has not recorded its iteration, and iteration 0 by every
    one-shot run on its way. What cannot be told is kept while any run is unfinished; so are parts while one is running.
    """
    busy = any(run.status == Status.running for run in runs)
    folders = [] if busy else [output_dir / "runs", output_dir / "trainings"]
    parts = sorted(path for folder in folders for path in folder.rglob(".*.part"))
    trainings = sorted((output_dir / "trainings").rglob("[!.]*.safetensors"))
    unfinished = [run for run in runs if not run.finished]
    return [*parts, *(path for path in trainings if not _is_needed(path, unfinished))]


def _is_needed(training: Path, unfinished: Sequence[Standing]) -> bool:
    about = _about(training)
    return any(run.job is None or about is None or _asks(run, *about) for run in unfinished)


def _asks(run: Standing, spec: str, iteration: int) -> bool:
    assert run.job is not None
    same = spec == digest(settings_of(run.job.spec))
    return same and (iteration >= run.done or (iteration == 0 and run.job.config.prune.name == "one_shot"))


def _about(training: Path) -> tuple[str, int] | None:
    """The settings' hash and the iteration that the header of a training's file tells; None where it does not."""
    try:
        with training.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            meta = json.loads(json.loads(file.read(length))["__metadata__"]["json"])
        return str(meta["spec"]), int(meta["iteration"])
    except (OSError, KeyError, ValueError, struct.error):
        return None
