"""The paper's claims on the paper's own curves, as drawn and corrected (un-averaged, on their own axes): no training.

Means over the authors' seeds are all that was published, so that errors are those of reading the figures alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np

from src.analysis.claims.phases import Turns, bounds, given_back, phases, rank_correlation, turns
from src.analysis.claims.tradeoff import NARROWEST, mean_over
from src.analysis.figures.readings import CORRECTED, PUBLISHED, Reading
from src.analysis.published.curves import X_READING_ERROR, Key, PublishedCurve, published_curves, published_in
from src.records.method import FOUR_METHODS, LOTTERY_TICKET, ONE_SHOT, SAP, SAP_1_2, Method
from src.records.objective import tradeoff
from src.records.run import FloatArray
from src.records.schema import SCOPES

DRAWS = 400
"""Of reading errors; each is half of what `y_uncertainty` says, which is about a 95 % bound."""


class Gain(NamedTuple):
    """Mean accuracy of SAP minus the other's, in points over log percent remaining from `low` to 100 %.

    drawn: read from Fig. 3a as it stands, `drawn_low` up; corrected: from each iteration's own accuracy against the
    scope's own percentages, `low` up, with the standard deviation that reading errors of both give it; alike: the two
    over the percentages that both have.
    """

    scope: str
    sap: Method
    other: Method
    drawn: float
    drawn_low: float
    corrected: float
    error: float
    low: float
    alike: tuple[float, float]


def gains() -> Iterator[Gain]:
    """SAP against the baselines in each scope of Fig. 3a (CIFAR10, CNN)."""
    for scope, sap, other in product(SCOPES, (SAP, SAP_1_2), (LOTTERY_TICKET, ONE_SHOT)):
        as_drawn = _curve(scope, sap, PUBLISHED), _curve(scope, other, PUBLISHED)
        drawn, drawn_low = _gain(*as_drawn)
        own = _curve(scope, sap, CORRECTED), _curve(scope, other, CORRECTED)
        corrected, low = _gain(*own)
        rng = np.random.default_rng(0)
        others = [
            _gain(_curve(scope, sap, CORRECTED, rng), _curve(scope, other, CORRECTED, rng), low)[0]
            for _ in range(DRAWS)
        ]  # fmt: skip
        alike = _gain(*as_drawn, max(low, drawn_low))[0], _gain(*own, max(low, drawn_low))[0]
        yield Gain(scope, sap, other, drawn, drawn_low, corrected, float(np.nanstd(others)), low, alike)


def _curve(scope: str, method: Method, reading: Reading, rng: np.random.Generator | None = None) -> PublishedCurve:
    """A trade-off; with `rng` one that the reading errors allow as well."""
    key = Key("cifar10", "cnn", scope, "tradeoff", method.short)
    curve = published_in(key, reading)
    if curve is None:
        raise LookupError(key)
    if rng is None:
        return curve
    drawn = published_curves()[key]
    moved = replace(drawn, y=drawn.y + rng.normal(size=drawn.y.size) * drawn.reading_error / 2)
    x = curve.x + rng.normal(size=curve.x.size) * X_READING_ERROR / 2
    return replace(moved.unaveraged().restricted_to(curve.t), x=np.clip(x, 1e-3, 100))


def _gain(sap: PublishedCurve, other: PublishedCurve, low: float | None = None) -> tuple[float, float]:
    """The gain, and the percentage that it begins at."""
    ours, theirs = (tradeoff(curve.x, curve.y) for curve in (sap, other))
    begin = max(ours.sparsest, theirs.sparsest) if low is None else float(np.log10(low))
    if 2.0 - begin < NARROWEST:
        return np.nan, np.nan
    return mean_over(ours, begin) - mean_over(theirs, begin), 10**begin


class Corrected(NamedTuple):
    """A method's own accuracies in percent, in one scope of Fig. 3a (CIFAR10, CNN), at given percentages left [n].

    error: the standard deviation that reading errors of both give each. NaN where the curve does not get to.
    """

    scope: str
    method: Method
    accuracy: FloatArray
    error: FloatArray


def corrected_tradeoffs(percentages: Sequence[float]) -> Iterator[Corrected]:
    """Each method in each scope of Fig. 3a at equal percentages left: un-averaged, on the scope's own axis."""
    for scope, method in product(SCOPES, FOUR_METHODS):
        rng = np.random.default_rng(0)
        curves = (_curve(scope, method, CORRECTED, rng) for _ in range(DRAWS))
        drawn = np.array([tradeoff(curve.x, curve.y).at(percentages) for curve in curves])
        curve = _curve(scope, method, CORRECTED)
        accuracy = tradeoff(curve.x, curve.y).at(percentages)
        known, error = np.isfinite(accuracy), np.full(len(accuracy), np.nan)
        error[known] = np.nanstd(drawn[:, known], axis=0)
        yield Corrected(scope, method, accuracy, error)


class Phases(NamedTuple):
    """Of a published PQ Index or Gini index: its iterations of trough, peak and end, and the phases' sizes [3].

    bounds: the last iterations before the limit of compression and before the collapse, by un-averaged accuracies.
    given_back: percent of the index's fall by the first pruning, and by the first ten, that training gives back; None
    where there is no such share, and of the Gini index, which was not drawn after pruning. alike: rank correlation with
    the PQ Index over the iterations.
    """

    dataset: str
    model: str
    measure: str
    method: Method
    turns: Turns
    sizes: FloatArray
    bounds: tuple[int, int]
    given_back: tuple[float | None, float | None]
    alike: float
    error: float


def published_phases() -> Iterator[Phases]:
    """Of the four methods' curves, retrained and global."""
    for (dataset, model), index, method in product(
        (("cifar10", "cnn"), ("cifar10", "resnet18")), ("pqi", "gini"), FOUR_METHODS
    ):
        pqi, curve, accuracy, pruned = (
            published_curves()[Key(dataset, model, "global", kind, method.short)]
            for kind in ("retrained_pqi", f"retrained_{index}", "retrained_accuracy", "pruned_pqi")
        )
        own, at = accuracy.unaveraged(), turns(curve.y)
        limit, collapse = (int(own.t[i]) for i in bounds(own.y))
        shares = (given_back(method, curve.y, pruned.y, n) if index == "pqi" else np.nan for n in (1, 10))
        first, ten = (None if np.isnan(share) else share for share in shares)
        sizes, alike = phases(curve.y, at), rank_correlation(pqi.y, curve.y)
        error = float(curve.reading_error.max())
        yield Phases(dataset, model, index, method, at, sizes, (limit, collapse), (first, ten), alike, error)
