"""A table as data: typed columns, rows of cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.figures.records.run import FloatArray


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds (ddof 0, as in the paper); a single seed has none."""

    mean: float
    std: float | None = None

    @classmethod
    def of(cls, per_seed: Sequence[float] | FloatArray) -> "Spread | None":
        """None where a seed has no value: a mean over fewer seeds would not be the row's."""
        values = np.asarray(per_seed, np.float64)
        if not len(values) or not np.isfinite(values).all():
            return None
        return cls(float(values.mean()), float(values.std()) if len(values) > 1 else None)


Cell = str | int | Spread | None
"""None: not defined, or not reached."""


@dataclass(frozen=True)
class Column:
    """`key` heads the column in CSV files, `label` elsewhere; numbers are shown in `form`, a format specification.

    long: text that wants a paragraph.
    """

    key: str
    label: str
    form: str = ".2f"
    long: bool = False


@dataclass(frozen=True)
class Table:
    """`name` is the file's; `note` says what a reader must know."""

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def numeric(self, index: int) -> bool:
        """Whether a column holds numbers."""
        return all(not isinstance(row[index], str) for row in self.rows)


def shown(cell: Cell, form: str) -> str:
    """A cell as text: `mean ± std`, or an en dash where there is nothing.

    >>> shown(Spread(90.123, 0.04), ".2f"), shown(None, ".2f"), shown(7, ".2f")
    ('90.12 ± 0.04', '–', '7')
    """
    if not isinstance(cell, Spread):
        return "–" if cell is None else str(cell)
    return " ± ".join(spread_texts(cell, form))


def spread_texts(cell: Spread, form: str) -> list[str]:
    """Mean, and standard deviation where there is one, with as many decimals.

    >>> spread_texts(Spread(0.9234, 0.0638), ".3g"), spread_texts(Spread(110.4), ".3g")
    (['0.923', '0.064'], ['110'])
    """
    mean = f"{cell.mean:{form}}"
    decimals = len(mean.partition(".")[2])
    return [mean] if cell.std is None else [mean, f"{cell.std:,.{decimals}f}"]
