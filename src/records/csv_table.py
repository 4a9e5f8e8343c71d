"""Reading CSV tables of numbers, with what a user can mend named by file, row and column."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from src.errors import UserError
from src.records.schema import REQUIRED_COLUMNS

FloatArray: TypeAlias = npt.NDArray[np.float64]


def read_columns(path: Path) -> dict[str, list[str]]:
    """Column -> its cells as text, with all required columns. Raises UserError naming file, row and fix."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
    except (OSError, ValueError, csv.Error) as error:
        reason = "it is empty" if str(error).startswith("not enough values") else error
        raise UserError(f"{path}: {reason}; {_fix(path)}") from error
    if absent := [column for column in REQUIRED_COLUMNS[path.name] if column not in head]:
        separated = "; its cells are separated by semicolons: save it with commas" * (";" in "".join(head))
        raise UserError(f"{path}, row 1: no column {', '.join(absent)}{separated or f'; {_fix(path)}'}")
    for number, row in enumerate(rows, 2):
        if len(row) != len(head):
            raise UserError(f"{path}, row {number}: {len(row)} cells for {len(head)} columns; {_fix(path)}")
    return dict(zip(head, map(list, zip(*rows, strict=True)) if rows else ([] for _ in head), strict=True))


def numbers(path: Path, columns: Mapping[str, Sequence[str]]) -> dict[str, FloatArray]:
    """Column -> array, NaN for an empty cell. Raises UserError naming the cell that is not a number."""
    return {name: np.array([_number(path, name, i, cell) for i, cell in enumerate(cells)], np.float64)
            for name, cells in columns.items()}  # fmt: skip


def _number(path: Path, column: str, index: int, cell: str) -> float:
    try:
        return float(cell) if cell else np.nan
    except ValueError:
        raise UserError(f"{path}, row {index + 2}, {column}: {cell!r} is not a number; {_fix(path)}") from None


def _fix(path: Path) -> str:
    return f"correct it, or remove the folder {path.parent.name} and run it again"
