"""How records are reported: corrected, or as the paper did (PROTOCOL 7.B). The records are the same."""

from dataclasses import dataclass, replace
from typing import Literal

from src.errors import UserError

EXCHANGED = {"neuron": "global", "layer": "layer", "global": "neuron"}
"""Scope whose x axis the paper's trade-off of a scope has (B2)."""


@dataclass(frozen=True)
class Reading:
    """Every reporting choice; the defaults are the corrected reading."""

    accuracy: Literal["per_iteration", "running_mean"] = "per_iteration"
    """B1: the accuracy of each iteration, or its running mean over iterations 0..t."""
    ratio_axes: Literal["own_scope", "published"] = "own_scope"
    """B2: percent remaining of the panel's own scope, or neuron and global exchanged."""
    si_layer_pq: Literal["fixed", "published"] = "fixed"
    """B3: (0.5, 1.0) for every layer, or (0.1, 1.0), (0.5, 2.0), (1.0, 2.0) for first, middle, last."""
    legacy_overflow: bool = False
    """B4: the PQ Index at p = 0.1 of a large network as it overflowed in float32."""
    pr_std: Literal["percent", "legacy"] = "percent"
    """B5: the standard deviation of percent remaining in percent, or a hundred times too short."""
    curve_pq: Literal["fixed", "own"] = "fixed"
    """B6: the (p, q) of the PQ Index curves: (0.5, 1.0) for all, or each SAP run's own."""
    diff_std: Literal["paired", "independent"] = "paired"
    """B7: standard deviation of the per-seed differences, or of the two as if they were independent."""
    ddof: int = 0
    """B8: 0 as in the paper, or 1."""
    one_shot_difference: Literal["successive", "retrained"] = "successive"
    """B9: the drop by the latest pruning step alone, or retrained minus pruned as for the other methods."""
    ratio_x: Literal["linear", "log"] = "linear"
    """B10: a linear x axis and the paper's y limits, which cut off the low end, or a log axis and all of y."""
    final_accuracy: Literal["recorded", "best"] = "recorded"
    """A4: the accuracy of iteration T at its last epoch, or at its best one as when the paper's figures were made."""


CORRECTED = Reading()
PUBLISHED = replace(
    CORRECTED, accuracy="running_mean", ratio_axes="published", si_layer_pq="published", legacy_overflow=True,
    pr_std="legacy", diff_std="independent", final_accuracy="best",
)  # fmt: skip
READINGS = {"corrected": CORRECTED, "published": PUBLISHED}


def reading_named(name: str) -> Reading:
    """The preset `corrected` or `published`."""
    if name not in READINGS:
        raise UserError(f"reading={name} is not known; choose one of {', '.join(READINGS)}")
    return READINGS[name]
