"""Files that are there whole or not at all. Imports no PyTorch."""

import os
from collections.abc import Callable
from pathlib import Path


def replace(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` make a file beside `path`, then put it in its place in one step; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text, whole or not at all; returns `path`."""
    return replace(path, lambda part: part.write_text(text, encoding="utf-8"))
