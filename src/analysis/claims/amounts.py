"""Claims 2 and 4: SAP adapts how much it prunes, and prunes the first layer least."""

from collections.abc import Iterator

import numpy as np

from src.analysis.claims.finding import Effect, Finding, finding
from src.analysis.claims.phases import seeds_of, subjects
from src.records.method import ABLATIONS
from src.records.run import FloatArray
from src.records.study import Study

SMALLEST_DECADES = 0.01
"""A difference in log10 of the remaining weights that counts as one: 2.3 %."""
SMALLEST_SHARE = 1.0
"""A difference in the share pruned per iteration that counts as one, in percentage points."""
SAID_OF = ("neuron", "global")
"""Those of which it is said (PROTOCOL 8.3)."""


def monotone(parameter: str, study: Study) -> Iterator[Finding]:
    """One finding per scope that has the sweep; neighbouring values may tie, the ends must differ."""
    sweep = ABLATIONS[parameter]
    for scope in study.scopes:
        if not study.setting.iterations or not any(study.series(scope, method) for method in sweep.own):
            continue
        series = {v: study.series(scope, method) for v, method in zip(sweep.values, sweep.methods, strict=True)}
        present = {
            value: {run.seed: run.table["percent_remaining"] for run in runs} for value, runs in series.items() if runs
        }
        seeds = sorted(set.intersection(*(set(runs) for runs in present.values())))
        effects: list[Effect] = []
        if len(present) > 1 and seeds:
            decades = np.log10([[runs[seed] for runs in present.values()] for seed in seeds])
            effects += _differences("along pruning", decades[..., 1:].mean(axis=-1), list(present))
            effects += _differences("after one pruning", decades[..., 1], list(present))
        not_run = [f"{value:g}" for value, runs in series.items() if not runs]
        questions = [f"no runs with {parameter}={', '.join(not_run)}"] if not_run else []
        means = {value: np.mean(list(runs.values()), axis=0) for value, runs in present.items()}
        left = (f"{value:g}: {mean[1]:.3g} and {mean[-1]:.3g} %" for value, mean in means.items())
        evidence = f"{sweep.fixed}; left after 1 and {study.setting.iterations} prunings: {', '.join(left)}"
        subject = f"SAP, {sweep.letter} varied"
        yield finding(f"monotone_{parameter}", study, scope, subject, effects, seeds, evidence, questions)


def _differences(when: str, decades: FloatArray, values: list[float]) -> list[Effect]:
    """How many decades fewer weights the larger value leaves: neighbours, then the ends; `decades` is [n, values]."""
    pairs = [(i, i + 1, -SMALLEST_DECADES) for i in range(len(values) - 1)] + [(0, len(values) - 1, SMALLEST_DECADES)]
    return [
        Effect.of(f"{values[j]:g} against {values[i]:g} {when}", "decades", decades[:, i] - decades[:, j], floor)
        for i, j, floor in pairs
    ]


def adapts(study: Study) -> Iterator[Finding]:
    """The share that SAP's bound lets go varies over the iterations, unlike the fixed ratio of the other methods.

    Not what is pruned in the end: of few weights, rounding varies that of a fixed ratio as well.
    """
    for scope, method, runs in subjects(study):
        if method.kind != "sap":
            continue
        with np.errstate(divide="ignore", invalid="ignore"):  # of nothing there is no share
            shares = np.array([100 * (1 - run.table["retained_bound"] / run.table["remaining"])[:-1] for run in runs])
        ranges = np.nanmax(shares, axis=1) - np.nanmin(shares, axis=1)
        effect = Effect.of("range of the share let go", "points", ranges, SMALLEST_SHARE)
        mean = np.nanmean(shares, axis=0)
        least, most = np.nanmin(mean), np.nanmax(mean)
        evidence = f"{least:.1f} to {most:.1f} % of the weights per iteration, {mean[0]:.1f} % in the first"
        few = "a single pruning" if runs[0].iterations == 1 else ""
        yield finding("adapts", study, scope, method, [effect] * (not few), seeds_of(runs), evidence, not_reached=few)


def first_layer_kept_most(study: Study) -> Iterator[Finding]:
    """First layer against whichever other layer keeps most, mean over iterations, for SAP and each scope of SAID_OF."""
    for scope, method, runs in subjects(study):
        if method.kind != "sap" or scope not in SAID_OF or len(runs[0].layers.names) < 2:
            continue
        if method.leaves_layers_out:  # which layers it says it of are not all
            continue
        percent = np.stack([run.layers["percent_remaining"] for run in runs])
        lead = (percent[:, 1:, 0] - percent[:, 1:, 1:].max(axis=-1)).mean(axis=-1)
        effect = Effect.of("first layer minus the fullest other layer", "points", lead)
        names, mean = runs[0].layers.names, percent[:, 1:].mean(axis=(0, 1))
        fullest, at_end = 1 + int(mean[1:].argmax()), percent.mean(axis=0)[-1]
        evidence = (
            f"mean over iterations: first ({names[0]}) {mean[0]:.3g} %, fullest other ({names[fullest]}) "
            f"{mean[fullest]:.3g} %; at T: {at_end[0]:.3g} and {at_end[fullest]:.3g} %"
        )
        yield finding("first_layer", study, scope, method, [effect], seeds_of(runs), evidence)
