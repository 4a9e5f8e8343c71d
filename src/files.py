"""A file that is there whole or not at all."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


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
