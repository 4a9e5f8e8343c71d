"""Accuracy against the weights that are left, on a log axis: values at equal sparsity, and the area under the curve.

Claim 3: SAP against lottery ticket and one-shot at equal sparsity, in each scope (Fig. 3a, right axes).
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from src.analysis.claims.finding import Effect, Finding, finding
from src.analysis.figures.readings import EXCHANGED, PUBLISHED, accuracy
from src.records.method import LOTTERY_TICKET, ONE_SHOT, SAP, SAP_1_2
from src.records.objective import Tradeoff, tradeoff
from src.records.run import Run
from src.records.study import Study

FEW = 5.0
"""Percent remaining below which few weights are left: where the trade-off is interesting (PROTOCOL B10)."""
NARROWEST = 0.1
"""Decades of percent remaining that two curves must share to be compared."""
EXPECTED = {"neuron": (+1, 2.0), "layer": (+1, 2.0), "global": (-1, float(np.log10(FEW)))}
"""Scope -> which is said to be better there, SAP (+1) or the other, and log10 of the largest percentage compared."""


def of_run(run: Run) -> Tradeoff:
    return tradeoff(run.table["percent_remaining"], run.table["retrained_accuracy"])


def mean_to(curve: Tradeoff, percent: float) -> float:
    """Mean accuracy from 100 to `percent`; NaN where the run did not get to."""
    low = float(np.log10(percent))
    return mean_over(curve, low) if curve.sparsest <= low else np.nan


def mean_over(curve: Tradeoff, low: float, high: float = 2.0) -> float:
    """Area under the curve from log10 percent `low` to `high`, divided by its width: a mean accuracy in percent.

    >>> mean_over(tradeoff(np.array([100.0, 1.0]), np.array([90.0, 10.0])), low=0.0)
    50.0
    """
    inner = curve.log_percent[(curve.log_percent > low) & (curve.log_percent < high)]
    x = np.concatenate([[low], inner, [high]])
    y = np.interp(x, *curve)
    return float((np.diff(x) * (y[1:] + y[:-1]) / 2.0).sum() / (high - low))


def compared(scope: str, study: Study) -> Iterator[Finding]:
    """The areas under both curves over the percentages that both reach, of each SAP against each other method."""
    sign, high = EXPECTED[scope]
    if scope not in study.scopes:
        return
    sense = "SAP minus the other" if sign > 0 else "the other minus SAP"
    for sap, other in product((SAP, SAP_1_2), (LOTTERY_TICKET, ONE_SHOT)):
        ours, theirs = ({run.seed: run for run in study.series(scope, method)} for method in (sap, other))
        if not ours or not theirs:
            continue
        paired = {seed: (ours[seed], theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())}
        found = {seed: gain(of_run(one), of_run(two), high) for seed, (one, two) in paired.items()}
        gains = {seed: each for seed, each in found.items() if not np.isnan(each)}
        known = np.array(list(gains.values()))
        effects = [Effect.of(f"mean accuracy, {sense}", "points", sign * known)] if gains else []
        apart = "" if gains else f"the two share no percentages below {10**high:g} %"
        evidence = "no common percentages"
        if gains:
            low = np.mean([shared(of_run(one), of_run(two)) for one, two in (paired[seed] for seed in gains)])
            evidence = f"SAP {known.mean():+.2f} points from {10**low:.2g} to {10**high:g} % left"
            if alone := [str(seed) for seed in found if seed not in gains]:
                evidence += f", without seed {', '.join(alone)}, where the two share no percentages"
        evidence += _as_published(study, scope, list(paired.values()), high)
        subject = f"{sap.text} against {other.text}"
        yield finding(f"scope_{scope}", study, scope, subject, effects, list(gains), evidence, not_reached=apart)


def shared(one: Tradeoff, two: Tradeoff) -> float:
    """log10 of the smallest percentage that both reach."""
    return max(one.sparsest, two.sparsest)


def gain(one: Tradeoff, two: Tradeoff, high: float = 2.0) -> float:
    """Mean accuracy of one minus the other's over the common percentages up to 10**high; NaN where there are none."""
    low = shared(one, two)
    return np.nan if high - low < NARROWEST else mean_over(one, low, high) - mean_over(two, low, high)


def _as_published(study: Study, scope: str, paired: Sequence[tuple[Run, Run]], high: float) -> str:
    """The same comparison with the running means and axes of Fig. 3a, where the scope it took these from has runs."""
    axes = ", exchanged axes" if EXCHANGED[scope] != scope else ""

    def published(run: Run) -> Tradeoff | None:
        elsewhere = study.series(EXCHANGED[scope], run.method)
        along = next((other.table["percent_remaining"] for other in elsewhere if other.seed == run.seed), None)
        return None if along is None else tradeoff(along, accuracy(run, "retrained", PUBLISHED))

    curves = [(published(one), published(two)) for one, two in paired]
    found = [gain(one, two, high) for one, two in curves if one and two]
    gains = [each for each in found if not np.isnan(each)]
    return f"; read as published (running means{axes}): {np.mean(gains):+.2f} points" if gains else ""
