"""Files: there whole or not at all; text, tables, JSON and YAML in them; and how often they are written."""

import csv
import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def replace(path: Path, write: Callable[[Path], object], durable: bool = False) -> Path:
    """Let `write` make a file beside `path`, then put it in its place in one step; returns `path`.

    `durable`: both are on the disk before this returns, so that a power cut leaves the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name.lstrip('.')}.{os.getpid()}.part")
    try:
        write(part)
        if durable:
            sync(part)
        os.replace(part, path)
        if durable:
            sync(path.parent)
    finally:
        with suppress(OSError):
            part.unlink()
    return path


def sync(*paths: Path) -> None:
    """Wait until files, and the names in folders, are on the disk."""
    for path in paths:
        if path.is_dir() and os.name == "nt":  # whose folders cannot be opened
            continue
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_parts(folder: Path, name: str = "") -> None:
    """Remove what killed processes left of files whose names begin with `name`, which nobody else may be writing."""
    for part in folder.glob(f".{name}*.part"):
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str, durable: bool = False) -> Path:
    """Write UTF-8 text, whole or not at all; returns `path`."""
    return replace(path, lambda part: part.write_bytes(text.encode()), durable)


def write_json(path: Path, value: Mapping[str, Any], durable: bool = False) -> None:
    """Write JSON atomically, indented, in the order given; its last key is the SHA-256 of the text before it."""
    text = json.dumps(value, indent=2).removesuffix("\n}").encode()
    replace(path, lambda part: part.write_bytes(_sealed(text)), durable)


def is_as_written(text: bytes, value: Mapping[str, Any]) -> bool:
    """Whether text, and what it was parsed to, is as `write_json` left it, or has no checksum as its last key."""
    last = [*value.values()][-1:]
    return not (last and isinstance(last[0], str) and len(last[0]) == 64) or text == _sealed(text[:-SEAL])


def _sealed(text: bytes) -> bytes:
    return text + b',\n  "sha256": "%s"\n}\n' % hashlib.sha256(text).hexdigest().encode()


SEAL = len(_sealed(b""))


def read_yaml(path: Path) -> Any:
    """A YAML file as data, by the faster reader where there is one: thousands of runs are read."""
    import yaml  # type: ignore[import-untyped]

    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a header; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def parsed(row: Mapping[str, str]) -> dict[str, Any]:
    """A row as `read_rows` gives it with its numbers as numbers, and None for an empty cell.

    >>> parsed({"iteration": "3", "loss": "0.5", "layer": "fc", "pqi": ""})
    {'iteration': 3, 'loss': 0.5, 'layer': 'fc', 'pqi': None}
    """
    return {name: _number(text) for name, text in row.items()}


def _number(text: str) -> int | float | str | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text or None


def csv_text(rows: Sequence[Mapping[str, Any]], header: bool) -> str:
    """Rows as CSV, below a header or not; the first row names the columns, None is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


class Pace:
    """Keeps what can be done more or less often, as checkpoints, to a share of the time."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._next = 0.0

    @property
    def due(self) -> bool:
        """Whether enough time has passed since the last time, by what that took."""
        return time.monotonic() >= self._next

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Around the work, whose time counts where it is due, which is given."""
        began, due = time.monotonic(), self.due
        yield due
        if due:
            ended = time.monotonic()
            self._next = ended + (ended - began) / self._share
