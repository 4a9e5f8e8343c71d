"""How records are reported: corrected, or as the paper did (PROTOCOL 7.B). The records are the same."""

from dataclasses import dataclass, replace
from enum import StrEnum

from src.errors import UserError

EXCHANGED = {"neuron": "global", "layer": "layer", "global": "neuron"}
"""Scope whose x axis the paper's trade-off of a scope has (B2)."""


Accuracy = StrEnum("Accuracy", ["per_iteration", "running_mean"])
"""B1: the accuracy of each iteration, or its running mean over iterations 0..t."""
RatioAxes = StrEnum("RatioAxes", ["own_scope", "published"])
"""B2: percent remaining of the panel's own scope, or neuron and global exchanged."""
LayerPq = StrEnum("LayerPq", ["fixed", "published"])
"""B3: (0.5, 1.0) for every layer, or (0.1, 1.0), (0.5, 2.0), (1.0, 2.0) for first, middle, last."""
RemainingStd = StrEnum("RemainingStd", ["percent", "legacy"])
"""B5: the standard deviation of percent remaining in percent, or a hundred times too short."""
CurvePq = StrEnum("CurvePq", ["fixed", "own"])
"""B6: the (p, q) of the PQ Index curves: (0.5, 1.0) for all, or each SAP run's own."""
DifferenceStd = StrEnum("DifferenceStd", ["paired", "independent"])
"""B7: standard deviation of the per-seed differences, or of the two as if they were independent."""
OneShotDifference = StrEnum("OneShotDifference", ["successive", "retrained"])
"""B9: the drop by the latest pruning step alone, or retrained minus pruned as for the other methods."""
RatioScale = StrEnum("RatioScale", ["linear", "log"])
"""B10: a linear x axis and the paper's y limits, which cut off the low end, or a log axis and all of y."""
FinalAccuracy = StrEnum("FinalAccuracy", ["recorded", "best"])
"""A4: the accuracy of iteration T at its last epoch, or at its best one as when the paper's figures were made."""


@dataclass(frozen=True)
class Reading:
    """Every reporting choice; the defaults are the corrected reading. `ddof` is B8."""

    accuracy: Accuracy = Accuracy.per_iteration
    ratio_axes: RatioAxes = RatioAxes.own_scope
    si_layer_pq: LayerPq = LayerPq.fixed
    legacy_overflow: bool = False
    pr_std: RemainingStd = RemainingStd.percent
    curve_pq: CurvePq = CurvePq.fixed
    diff_std: DifferenceStd = DifferenceStd.paired
    ddof: int = 0
    one_shot_difference: OneShotDifference = OneShotDifference.successive
    ratio_x: RatioScale = RatioScale.linear
    final_accuracy: FinalAccuracy = FinalAccuracy.recorded


CORRECTED = Reading()
PUBLISHED = replace(
    CORRECTED,
    accuracy=Accuracy.running_mean,
    ratio_axes=RatioAxes.published,
    si_layer_pq=LayerPq.published,
    legacy_overflow=True,
    pr_std=RemainingStd.legacy,
    diff_std=DifferenceStd.independent,
    final_accuracy=FinalAccuracy.best,
)
READINGS = {"corrected": CORRECTED, "published": PUBLISHED}


def reading_named(name: str) -> Reading:
    """The preset `corrected` or `published`."""
    if name not in READINGS:
        raise UserError(f"reading={name} is not known; choose one of {', '.join(READINGS)}")
    return READINGS[name]
