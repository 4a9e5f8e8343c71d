"""Claim 1: the index falls (regularisation), rises (limit of compression) and falls again (collapse)."""

from collections.abc import Iterator, Sequence

import numpy as np

from src.claims.bootstrap import leave_one_out, resampled_means
from src.claims.finding import Effect, Finding, judge
from src.claims.turning import phases, turns
from src.figures.records import Method, Run, Study
from src.figures.records.run import FloatArray
from src.figures.series import ABLATIONS

SMALLEST = 0.01
"""A change of the index that counts as one, of a range of 0 to 1; seeds differ by less."""
LIMIT = 1.0
"""Accuracy lost, in points, from which on the limit of compression may be reached."""
COLLAPSED = 0.5
"""A network that lost this share of the dense network's accuracy has collapsed."""
NAMES = ("falls first", "rises", "falls again")
NOT_REACHED = (
    "",
    f"up to T the accuracy is within {LIMIT:g} point of the dense network's: the limit of compression is not reached",
    "up to T the network keeps more than half of its accuracy: no collapse to see",
)
ALIKE = 0.9
"""Rank correlation from which on two curves are said to behave alike."""


def pqi_phases(study: Study) -> Iterator[Finding]:
    """The three phases of the PQ Index, per scope and method."""
    yield from (_three(study, "pqi_phases", "retrained_pqi", *subject) for subject in subjects(study))


def gini_phases(study: Study) -> Iterator[Finding]:
    """The three phases of the Gini index, per scope and method."""
    yield from (_three(study, "gini_phases", "retrained_gini", *subject) for subject in subjects(study))


def gini_alike(study: Study) -> Iterator[Finding]:
    """Rank correlation of PQ Index and Gini index along pruning, per scope and method."""
    for scope, method, runs in subjects(study):
        values = np.array([_rank_correlation(run.table["retrained_pqi"], run.table["retrained_gini"]) for run in runs])
        effect = Effect.of("rank correlation of PQ Index and Gini index", "", values, ALIKE)
        verdict, reason = judge([effect], len(runs))
        evidence = f"rank correlation {values.mean():.3f} over {runs[0].iterations + 1} iterations"
        yield Finding("gini_alike", study.name, study.setting, scope, method.text, verdict, (effect,), _seeds(runs),
                      evidence, reason)  # fmt: skip


def subjects(study: Study) -> Iterator[tuple[str, Method, tuple[Run, ...]]]:
    """Scopes and methods that prune, without the sweeps over SAP's parameters."""
    swept = {method.key for ablation in ABLATIONS.values() for method in ablation.own}
    for scope in study.scopes:
        for method in study.methods(scope):
            if method.name != "dense" and method.key not in swept:
                yield scope, method, study.series(scope, method)


def _three(study: Study, claim: str, column: str, scope: str, method: Method, runs: tuple[Run, ...]) -> Finding:
    curves = _filled(np.stack([run.table[column] for run in runs]))
    # Each seed is measured at the turns of the others: turns chosen in its own noise always show a fall and a rise.
    sizes = phases(curves, turns(leave_one_out(curves)))
    accuracies = np.stack([run.table["retrained_accuracy"] for run in runs]).mean(axis=0)
    seen = _testable(sizes.mean(axis=0), accuracies)
    effects = [Effect.of(NAMES[i], "", sizes[:, i], SMALLEST) for i in range(seen)]
    verdict, reason = judge(effects, len(runs), NOT_REACHED[seen : seen + 1])
    evidence = _told(curves, np.stack([run.table["percent_remaining"] for run in runs]).mean(axis=0), accuracies)
    return Finding(claim, study.name, study.setting, scope, method.text, verdict, tuple(effects), _seeds(runs),
                   evidence, reason)  # fmt: skip


def _testable(sizes: FloatArray, accuracies: FloatArray) -> int:
    """How many of the phases can be asked for: those that are there, and those that the network got far enough for."""
    lost = accuracies[0] - accuracies.min()
    reached = (True, lost > LIMIT, lost > COLLAPSED * accuracies[0])
    there = [bool(size > SMALLEST) or far for size, far in zip(sizes, reached, strict=True)]
    return there.index(False) if False in there else len(there)


def _told(curves: FloatArray, percent: FloatArray, accuracies: FloatArray) -> str:
    mean = curves.mean(axis=0)
    at, spread = turns(mean), [np.quantile(x, [0.025, 0.975]) for x in turns(resampled_means(curves))]
    names = ("trough", "peak", "end")
    parts = [f"{mean[0]:.3f} at t=0"]
    for name, point, ends in zip(names, at, spread, strict=True):
        t = int(point)
        range_ = f" [{ends[0]:.0f}, {ends[1]:.0f}]" if len(curves) > 1 else ""
        parts.append(f"{name} {mean[t]:.3f} at t={t}{range_} ({percent[t]:.3g} % left, accuracy {accuracies[t]:.1f} %)")
    return "; ".join(parts)


def _filled(curves: FloatArray) -> FloatArray:
    """An index that is not defined (no weight is left that is not zero) is that of equal weights: 0."""
    return np.nan_to_num(curves, nan=0.0)


def _rank_correlation(x: FloatArray, y: FloatArray) -> float:
    from scipy.stats import spearmanr

    known = np.isfinite(x) & np.isfinite(y)
    return float(np.nan_to_num(spearmanr(x[known], y[known]).statistic))


def _seeds(runs: Sequence[Run]) -> tuple[int, ...]:
    return tuple(run.seed for run in runs)
