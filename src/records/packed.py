"""Finished runs of a study in four compact files, as `src.archive` describes them: written, read."""

import gzip
import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from src.config.part import safe_name
from src.errors import UserError
from src.files import replace
from src.records.run import FloatArray
from src.records.schema import ITERATIONS_FILE, LAYERS_FILE

RUNS_FILE = "runs.jsonl"
GRIDS_FILE = "grids.npz"
PACKED = ".gz"
TABLES = (ITERATIONS_FILE, LAYERS_FILE)

Array = np.ndarray[Any, Any]


@dataclass
class Packed:
    """The runs of a study's folder, by their names.

    described: what a line of `runs.jsonl` says; tables: of each file, the runs' own texts; grids: the bytes of the PQ
    Index, as `grids.npz` names them; axes: `p` and `q` of these.
    """

    described: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in TABLES})
    grids: dict[str, Array] = field(default_factory=dict)
    axes: dict[str, Array] = field(default_factory=dict)


def read_packed(folder: Path) -> Packed:
    """All that a study's folder holds. Raises UserError for a file that is missing or damaged, or leads elsewhere."""
    packed = Packed()
    path = folder / (RUNS_FILE + PACKED)
    try:
        for line in map(json.loads, _read(path).splitlines()):
            name = str(line["run"]["name"])
            if name != safe_name(name):
                raise ValueError(f"{name!r} is no run's name")
            packed.described[name] = line
        if not packed.described:
            raise ValueError("it is empty")
        for table in TABLES:
            path = folder / (table + PACKED)
            packed.tables[table] = _by_run(_read(path))
        path = folder / GRIDS_FILE
        with np.load(path) as file:
            grids = {name: file[name] for name in file.files}
        packed.axes = {name: grids.pop(name) for name in ("p", "q")}
        packed.grids = grids
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error, BadZipFile) as error:
        said = f"{path} cannot be read ({error or type(error).__name__})"
        raise UserError(f"{said}: it is not as it was packed; fetch or pack it again") from error
    return packed


def write_packed(packed: Packed, folder: Path) -> None:
    """The four files; the list of runs, without which there is nothing to unpack, last."""
    names = sorted(packed.described)
    places = [f"{name}/{part}" for name in names for part in ("whole", "layers")]
    grids: dict[str, Any] = {**packed.axes, **{place: packed.grids[place] for place in places if place in packed.grids}}

    def write_grids(part: Path) -> None:
        with part.open("wb") as file:
            np.savez_compressed(file, **grids)

    replace(folder / GRIDS_FILE, write_grids)
    for table in TABLES:
        texts = packed.tables[table]
        heading = texts[names[0]].partition("\n")[0]
        rows = (f"{name},{row}\n" for name in names for row in texts[name].splitlines()[1:])
        _write(folder / table, f"run,{heading}\n{''.join(rows)}")
    _write(folder / RUNS_FILE, "".join(f"{json.dumps(packed.described[n], sort_keys=True)}\n" for n in names))


def _write(path: Path, text: str) -> None:
    """Write text compressed, the same bytes for the same text."""
    data = gzip.compress(text.encode(), mtime=0)
    replace(path.with_name(path.name + PACKED), lambda part: part.write_bytes(data))


def _read(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def _by_run(text: str) -> dict[str, str]:
    """The text of each run's own table, out of that of all."""
    head, *lines = text.splitlines()
    heading = f"{head.partition(',')[2]}\n"
    found: dict[str, list[str]] = {}
    for line in lines:
        name, _, row = line.partition(",")
        found.setdefault(name, [heading]).append(f"{row}\n")
    return {name: "".join(rows) for name, rows in found.items()}


def planes(values: FloatArray) -> Array:
    """The bytes of float32 numbers, the lowest of all of them first: those of a kind compress well."""
    return np.moveaxis(values.astype("<f4")[..., None].view(np.uint8), -1, 0)


def joined(planes: Array) -> FloatArray:
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view("<f4").squeeze(-1)
