"""Claim 4: the first layer keeps the largest share of its weights."""

from collections.abc import Iterator

import numpy as np

from src.analysis.claims.finding import Effect, Finding, finding
from src.analysis.claims.phases import seeds_of, subjects
from src.records.study import Study

SAID_OF = ("neuron", "global")
"""Those of which it is said (PROTOCOL 8.3)."""


def first_layer_kept_most(study: Study) -> Iterator[Finding]:
    """First layer against whichever other layer keeps most, mean over iterations, for SAP and each scope of SAID_OF."""
    for scope, method, runs in subjects(study):
        if method.kind != "sap" or scope not in SAID_OF or len(runs[0].layers.names) < 2:
            continue
        percent = np.stack([run.layers["percent_remaining"] for run in runs])
        lead = (percent[:, 1:, 0] - percent[:, 1:, 1:].max(axis=-1)).mean(axis=-1)
        effect = Effect.of("first layer minus the fullest other layer", "points", lead)
        names, mean = runs[0].layers.names, percent.mean(axis=(0, 1))
        fullest, at_end = 1 + int(mean[1:].argmax()), percent.mean(axis=0)[-1]
        evidence = (
            f"mean over iterations: first ({names[0]}) {mean[0]:.3g} %, fullest other ({names[fullest]}) "
            f"{mean[fullest]:.3g} %; at T: {at_end[0]:.3g} and {at_end[fullest]:.3g} %"
        )
        yield finding("first_layer", study, scope, method.text, [effect], seeds_of(runs), evidence)
