"""Whether a finished run's files are those that were recorded. Imports no PyTorch."""

import csv
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from src.records.schema import CHANGED, TABLES, read_status

AGAIN = "remove it and run the same command again, or its entry in run.json's files and the sha256 there to keep it so"


def stamps(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What `run.json` keeps of the files there are: size, time, lines of a table, and the SHA-256 of the content."""
    found = {}
    for path in (folder / name for name in names if (folder / name).exists()):
        stat = path.stat()
        found[path.name] = {"bytes": stat.st_size, "modified": stat.st_mtime_ns, "sha256": _digest(path)}
        if path.name in TABLES:
            found[path.name]["lines"] = path.read_bytes().count(b"\n")
    return found


def is_finished(folder: Path, state: dict[str, Any] | None) -> bool:
    """Whether `state`, as `read_status` gives it, says so, and no file is missing or damaged."""
    return state is not None and state["status"] == "finished" and damaged_file(folder, state) is None


def damaged_file(folder: Path, state: dict[str, Any]) -> str | None:
    """The first file of a finished run that is missing or damaged.

    Only files whose size or time is not as it was recorded are read. A table that still is one counts as edited by its
    owner: there is nothing to do, and `verify` tells of it until the owner has decided.
    """
    for name, stamp in state["files"].items():
        path = folder / name
        if _is_different(path, stamp) and not (name in TABLES and _is_table(path, stamp)):
            return str(name)
    return None


def verify(folder: Path, names: Iterable[str] | None = None) -> list[str]:
    """A line for each file of a finished run, of all or of `names`, that is not what was recorded: they are hashed."""
    state = read_status(folder)
    if state is None or state["status"] != "finished":
        return [f"{folder.name}: {CHANGED}"] if state and state["reason"] == CHANGED else []
    lines = []
    for name in state["files"] if names is None else [name for name in names if name in state["files"]]:
        stamp = state["files"][name]
        if not (folder / name).exists():
            lines.append(f"{folder.name}: {name} is missing; run the same command again to have it as it was")
        elif _is_different(folder / name, stamp, quick=False):
            lines.append(f"{folder.name}: {name} was changed after it was recorded; {AGAIN}")
    return lines


def _is_different(path: Path, stamp: dict[str, Any], quick: bool = True) -> bool:
    try:
        stat = path.stat()
        if quick and (stat.st_size, stat.st_mtime_ns) == (stamp["bytes"], stamp["modified"]):
            return False
        return bool(stat.st_size != stamp["bytes"] or _digest(path) != stamp["sha256"])
    except (OSError, KeyError, TypeError):
        return True


def _is_table(path: Path, stamp: dict[str, Any]) -> bool:
    """Whether a changed table has its rows, all of the same length, with numbers where these belong."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        for row in rows:
            _ = [float(cell) for column, cell in zip(head, row, strict=True) if cell and column != "layer"]
        return bool(len(rows) + 1 == stamp["lines"])
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
