"""Claim 3: SAP against lottery ticket and one-shot at equal sparsity, neuron-wise and global (Fig. 3a, right axes)."""

from collections.abc import Iterator

import numpy as np

from src.analysis.claims.finding import Effect, Finding, finding
from src.analysis.claims.tradeoff import Tradeoff, mean_over, of_run, tradeoff
from src.analysis.figures.quantities import accuracy
from src.analysis.figures.readings import EXCHANGED, PUBLISHED
from src.records.method import LOTTERY_TICKET, ONE_SHOT, SAP, SAP_1_2, Method
from src.records.run import Run
from src.records.study import Study

FEW = 5.0
"""Percent remaining below which few weights are left: where the trade-off is interesting (PROTOCOL B10)."""
NARROWEST = 0.1
"""Decades of percent remaining that two curves must share to be compared."""


def neuron_better(study: Study) -> Iterator[Finding]:
    """Neuron-wise: the area under SAP's curve is larger, over all percentages that both reach."""
    yield from (
        _compare(study, "scope_neuron", "neuron", sap, other, +1, 2.0) for sap, other in _pairs(study, "neuron")
    )


def global_worse(study: Study) -> Iterator[Finding]:
    """Global: the area under SAP's curve is smaller where few weights are left."""
    few = float(np.log10(FEW))
    yield from (
        _compare(study, "scope_global", "global", sap, other, -1, few) for sap, other in _pairs(study, "global")
    )


def _pairs(study: Study, scope: str) -> Iterator[tuple[Method, Method]]:
    for sap in (SAP, SAP_1_2):
        for other in (LOTTERY_TICKET, ONE_SHOT):
            if study.series(scope, sap) and study.series(scope, other):
                yield sap, other


def _compare(study: Study, claim: str, scope: str, sap: Method, other: Method, sign: int, high: float) -> Finding:
    ours = {run.seed: run for run in study.series(scope, sap)}
    theirs = {run.seed: run for run in study.series(scope, other)}
    paired = [(ours[seed], theirs[seed]) for seed in sorted(set(ours) & set(theirs))]
    gains = [_gain(of_run(one), of_run(two), high) for one, two in paired]
    known = np.array([gain for gain in gains if gain is not None])
    sense = {1: "SAP minus the other", -1: "the other minus SAP"}[sign]
    effects = [Effect.of(f"mean accuracy, {sense}", "points", sign * known)] if len(known) else []
    questions = [] if len(known) else [f"the two share no percentages below {10**high:g} %"]
    seeds = tuple(run.seed for (run, _), gain in zip(paired, gains, strict=True) if gain is not None)
    evidence = _evidence(paired, known, high) + _as_published(study, scope, paired, high)
    subject = f"{sap.text} against {other.text}"
    return finding(claim, study, scope, subject, effects, seeds, evidence, questions)


def _gain(sap: Tradeoff, other: Tradeoff, high: float) -> float | None:
    """Mean accuracy of SAP minus the other's over the common percentages up to 10**high; None where there are none."""
    low = max(sap.sparsest, other.sparsest)
    return None if high - low < NARROWEST else mean_over(sap, low, high) - mean_over(other, low, high)


def _evidence(paired: list[tuple[Run, Run]], gains: np.ndarray, high: float) -> str:
    if not len(gains):
        return "no common percentages"
    lows = [max(of_run(one).sparsest, of_run(two).sparsest) for one, two in paired]
    return f"SAP {gains.mean():+.2f} points from {10 ** np.mean(lows):.2g} to {10**high:g} % left"


def _as_published(study: Study, scope: str, paired: list[tuple[Run, Run]], high: float) -> str:
    """The same comparison with running means and the exchanged axes of Fig. 3a, where the other scope has runs."""
    gains = []
    for pair in paired:
        curves = [_published(run, study.series(EXCHANGED[scope], run.method)) for run in pair]
        if curves[0] and curves[1] and (gain := _gain(curves[0], curves[1], high)) is not None:
            gains.append(gain)
    return f"; read as published (running means, exchanged axes): {np.mean(gains):+.2f} points" if gains else ""


def _published(run: Run, elsewhere: tuple[Run, ...]) -> Tradeoff | None:
    along = next((other for other in elsewhere if other.seed == run.seed), None)
    return tradeoff(along.table["percent_remaining"], accuracy(run, "retrained", PUBLISHED)) if along else None
