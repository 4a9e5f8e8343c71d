"""Claim 1: the index falls (regularisation), rises (limit of compression) and falls again (collapse)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from src.analysis.claims.finding import Effect, Finding, finding, leave_one_out
from src.records.method import ABLATIONS, ONE_SHOT, Method
from src.records.objective import LOST, sparsest_good
from src.records.run import FloatArray, Run
from src.records.study import Study

SMALLEST = 0.01
"""A change of the index that counts as one, of a range of 0 to 1; seeds differ by less."""
COLLAPSED = 0.5
"""A network that lost this share of the dense network's accuracy has collapsed."""
NAMES = ("falls first", "rises", "falls again")
NOT_REACHED = (
    "",
    f"not before T is more than {LOST:g} point of accuracy lost for good: the limit of compression is not reached",
    "not before T is half of the accuracy lost for good: no collapse to see",
)
COLUMNS = {"pqi_phases": "retrained_pqi", "gini_phases": "retrained_gini"}
"""Claim -> the index that it is about."""
ALIKE = 0.9
"""Rank correlation from which on two curves are said to behave alike."""
ENOUGH = 8
"""Iterations, the dense network's included, from which on a rank correlation says something."""


def gini_alike(study: Study) -> Iterator[Finding]:
    """Rank correlation of PQ Index and Gini index along pruning, per scope and method."""
    for scope, method, runs in subjects(study):
        values = np.array([rank_correlation(run.table["retrained_pqi"], run.table["retrained_gini"]) for run in runs])
        effect = Effect.of("rank correlation of PQ Index and Gini index", "", values, ALIKE)
        count = runs[0].iterations_total
        evidence = f"rank correlation {values.mean():.3f} over {count} iterations"
        few = f"{count} iterations, {ENOUGH} needed" if count < ENOUGH else ""
        effects = [] if few else [effect]
        yield finding("gini_alike", study, scope, method, effects, seeds_of(runs), evidence, not_reached=few)


def subjects(study: Study) -> Iterator[tuple[str, Method, tuple[Run, ...]]]:
    """Scopes and methods that prune, without the sweeps over SAP's parameters."""
    swept = {method for ablation in ABLATIONS.values() for method in ablation.own}
    for scope in study.scopes:
        for method in study.methods(scope) if study.setting.iterations else ():
            if method.kind != "dense" and method not in swept:
                yield scope, method, study.series(scope, method)


def three_phases(claim: str, column: str, study: Study) -> Iterator[Finding]:
    """The three phases of an index, per scope and method. One that is not defined is that of equal weights: 0."""
    for scope, method, runs in subjects(study):
        curves = np.nan_to_num(np.stack([run.table[column] for run in runs]), nan=0.0)
        percent, accuracies = (
            np.mean([run.table[name] for run in runs], axis=0) for name in ("percent_remaining", "retrained_accuracy")
        )
        # A phase can be asked for that is there, or that the network got far enough for: past the first iteration
        # beyond the limit, or the collapse, that it is said to follow.
        reached = (True, *(last < runs[0].iterations - 1 for last in bounds(accuracies)))
        # Each seed is measured at the turns of the others: turns chosen in its own noise always show a fall and a rise.
        sizes = phases(curves, turns(leave_one_out(curves)))
        own = phases(curves, turns(curves)).mean(axis=0)
        there = [bool(size > SMALLEST) or far for size, far in zip(sizes.mean(axis=0), reached, strict=True)]
        seen = [*there, False].index(False)
        effects = [replace(Effect.of(NAMES[i], "", sizes[:, i], SMALLEST), at_most=own[i]) for i in range(seen)]
        evidence = _evidence(curves, percent, accuracies)
        missing = "".join(NOT_REACHED[seen : seen + 1])
        yield finding(claim, study, scope, method, effects, seeds_of(runs), evidence, not_reached=missing)


def _evidence(curves: FloatArray, percent: FloatArray, accuracies: FloatArray) -> str:
    mean = curves.mean(axis=0)
    parts = [f"{mean[0]:.3f} at t=0"]
    turning = turns(mean)
    named = list(zip(("trough", "peak", "end"), turning, turns(curves), strict=True))
    if turning.trough == turning.end:
        named = [("lowest", *named[0][1:])]
    for name, at, of_seeds in named:
        t = int(at)
        few, many = of_seeds.min(), of_seeds.max()
        when = f"{t}, its seeds' at {few} to {many}" if few < many else f"{t}"
        parts.append(f"{name} {mean[t]:.3f} at t={when} ({percent[t]:.3g} % left, accuracy {accuracies[t]:.1f} %)")
    limit, collapse = bounds(accuracies)
    parts.append(f"no more than a point lost up to t={limit}, half of the accuracy kept up to t={collapse}")
    return "; ".join(parts)


def bounds(accuracies: FloatArray) -> tuple[int, int]:
    """The last iterations of accuracies [T+1], percent, before the limit of compression and before the collapse.

    >>> bounds(np.array([90.0, 89.5, 60.0, 89.1, 50.0, 30.0]))
    (3, 4)
    """
    values = accuracies.tolist()
    return sparsest_good(values), sparsest_good(values, COLLAPSED * values[0])


def given_back(method: Method, retrained: FloatArray, pruned: FloatArray, prunings: int) -> float:
    """Percent of what the first `prunings` take from an index [T+1] that the trainings after them give back.

    pruned [T] or longer: the index after each pruning. NaN where they take less than the smallest change that counts,
    and of more than one pruning of one-shot, which cuts the dense network anew in each.

    >>> given_back(LOTTERY_TICKET, np.array([0.5, 0.375, 0.25]), np.array([0.25, 0.125, np.nan]), 2)
    50.0
    """
    if prunings > 1 and method.kind == ONE_SHOT.kind:
        return np.nan
    n = min(prunings, len(retrained) - 1)
    took, gave = (float((index - pruned[:n]).sum()) for index in (retrained[:n], retrained[1 : n + 1]))
    return 100 * gave / took if took > SMALLEST else np.nan


def rank_correlation(x: FloatArray, y: FloatArray) -> float:
    """Spearman's; 0 where one of the two does not vary."""
    known = np.isfinite(x) & np.isfinite(y)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.nan_to_num(np.corrcoef(_ranks(x[known]), _ranks(y[known]))[0, 1]))


def _ranks(values: FloatArray) -> FloatArray:
    """Places in the order of size, from 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])


def seeds_of(runs: Sequence[Run]) -> tuple[int, ...]:
    return tuple(run.seed for run in runs)


class Turns(NamedTuple):
    """Iterations [...] of the trough, of the peak after it, and of the lowest point after the peak."""

    trough: npt.NDArray[np.intp]
    peak: npt.NDArray[np.intp]
    end: npt.NDArray[np.intp]


def turns(y: FloatArray) -> Turns:
    """The turns of curves y [..., T+1] that make fall, rise and second fall together as large as possible.

    Where that rise is below the smallest change that counts the curve has but one fall: to its lowest point.

    >>> [int(t) for t in turns(np.array([3.0, 1.0, 2.0, 5.0, 0.0]))], [int(t) for t in turns(np.array([3.0, 2.0, 1.0]))]
    ([1, 3, 4], [2, 2, 2])
    """
    t = np.arange(y.shape[-1])
    backwards = np.minimum.accumulate(y[..., ::-1], axis=-1)[..., ::-1]
    lowest_after = np.concatenate([backwards[..., 1:], y[..., -1:]], axis=-1)  # of the last iteration its own
    rise = y[..., None, :] - y[..., :, None]
    both_falls = y[..., :1, None] - y[..., :, None] + (y - lowest_after)[..., None, :]
    together = np.where(t[:, None] < t[None, :], both_falls + rise, -np.inf)
    trough, peak = np.divmod(together.reshape(*y.shape[:-1], -1).argmax(-1), len(t))
    low, high = (np.take_along_axis(y, point[..., None], -1)[..., 0] for point in (trough, peak))
    falls_only = high - low < SMALLEST
    trough = np.where(falls_only, y.argmin(-1), trough)
    peak = np.where(falls_only, np.where(t >= trough[..., None], y, -np.inf).argmax(-1), peak)
    after = np.where(t > peak[..., None], y, np.inf)
    return Turns(trough, peak, np.where(peak == t[-1], t[-1], after.argmin(-1)))


def phases(y: FloatArray, turning: Turns) -> FloatArray:
    """Sizes of the fall to the trough, the rise to the peak and the fall after it, positive as named: [..., 3]."""
    low, high, last = (np.take_along_axis(y, point[..., None], -1) for point in turning)
    return np.concatenate([y[..., :1] - low, high - low, high - last], axis=-1)
