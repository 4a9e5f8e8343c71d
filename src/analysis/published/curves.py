"""The digitised curves, as drawn and un-averaged."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from src.records.method import Method, paper_method
from src.records.run import FloatArray

FOLDER = Path(__file__).parent
FILES = ("fig2_cifar10_cnn", "fig3_cifar10_cnn_scopes", "fig4_cifar10_cnn_pq", "fig5_cifar10_cnn_eta_gamma",
         "readme_cifar10_resnet18")  # fmt: skip
BARS = ("errorbars_visible",)
X_READING_ERROR = 0.1
"""Percentage points to which the digitised x of visible trade-off markers is good (errors were not kept per row)."""


@dataclass(frozen=True)
class Key:
    """What a curve shows: `quantity` as in the files' column `panel`; `layer` is first, middle, last or empty."""

    dataset: str
    model: str
    scope: str
    quantity: str
    method: str
    layer: str = ""


@dataclass(frozen=True)
class PublishedCurve:
    """Values y at iterations t with the error of reading them, [n]; x is the drawn percent remaining of a trade-off."""

    t: FloatArray
    x: FloatArray
    y: FloatArray
    reading_error: FloatArray

    def unaveraged(self) -> "PublishedCurve":
        """a_t = (t+1) M_t - t M_{t-1} where both are known, reading errors added in squares (PROTOCOL 4.3)."""
        before = {int(t): i for i, t in enumerate(self.t)}
        kept = [i for i, t in enumerate(self.t) if t == 0 or int(t) - 1 in before]
        previous = [before.get(int(self.t[i]) - 1, i) for i in kept]
        t = self.t[kept]
        y = (t + 1) * self.y[kept] - t * self.y[previous]
        error = np.hypot((t + 1) * self.reading_error[kept], t * self.reading_error[previous])
        return PublishedCurve(t, self.x[kept], y, error)

    def restricted_to(self, t: FloatArray) -> "PublishedCurve":
        """The points at these iterations, where there are any."""
        kept = np.isin(self.t, t)
        return replace(self, **{name: getattr(self, name)[kept] for name in ("t", "x", "y", "reading_error")})


@cache
def published_curves() -> dict[Key, PublishedCurve]:
    """All curves as drawn; where one was read from several figures, each point's most certain reading."""
    points: dict[Key, dict[int, dict[str, str]]] = {}
    for row in _rows(FILES):
        best = points.setdefault(_key(row), {})
        t = int(row["iteration"])
        if t not in best or float(row["y_uncertainty"]) < float(best[t]["y_uncertainty"]):
            best[t] = row
    return {key: _curve([found[t] for t in sorted(found)]) for key, found in points.items()}


def visible_bars(quantity: str) -> tuple[int, int]:
    """How many of a quantity's published markers have an error bar that sticks out, and how many markers there are."""
    bars, markers = (sum(row["panel"] == quantity for row in _rows(names)) for names in (BARS, FILES))
    return bars, markers


def _rows(names: Sequence[str]) -> Iterator[dict[str, str]]:
    for name in names:
        with (FOLDER / f"{name}.csv").open(newline="") as file:
            yield from csv.DictReader(file)


def _curve(rows: list[dict[str, str]]) -> PublishedCurve:
    columns = [
        np.array([float(row[name] or "nan") for row in rows]) for name in ("iteration", "x", "y", "y_uncertainty")
    ]
    return PublishedCurve(*columns)


def _key(row: dict[str, str]) -> Key:
    dataset, model = row["dataset"].lower(), row["model"].lower()
    return Key(dataset, model, row["scope"], row["panel"], _method(row).short, row["layer"])


def _method(row: dict[str, str]) -> Method:
    if row["method"] == "sap":
        return paper_method("sap", **{name: float(row[name]) for name in ("p", "q", "eta_r", "gamma")})
    return paper_method(row["method"], ratio=float(row["prune_ratio"]))
