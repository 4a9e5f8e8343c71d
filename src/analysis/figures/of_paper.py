"""Figures of the published curves alone: they need no records."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from src.analysis.figures.plan import CAPTIONS
from src.analysis.figures.readings import CORRECTED, PUBLISHED, Reading
from src.analysis.figures.spec import ITERATION, LABELS, Curve, CurvePanel, FigureSpec
from src.analysis.published.curves import X_READING_ERROR, Key, published_curves, published_in
from src.analysis.published.prediction import Prediction, predictions
from src.records.method import ABLATIONS, FOUR_METHODS
from src.records.schema import SCOPES

NETWORKS = {("cifar10", "cnn"): "CNN", ("cifar10", "resnet18"): "ResNet18"}
DIFFER = (5.0, 20.0)
"""Percent remaining where the published trade-offs differ most from what their data say."""
LAST = 30
"""T of the CNN."""
NO_SEED = (-1,)
"""A curve that is no reading: its error is drawn as a band."""


def predicted() -> FigureSpec:
    """Each published percent remaining, and what Algorithm 1 makes of the point before it."""
    found = predictions()
    cnn = [p for p in found if p.model == "cnn" and p.method in ABLATIONS["eta"].methods]
    resnet = [p for p in found if p.model == "resnet18" and p.method == FOUR_METHODS[0]]
    panels = [_remaining("CNN", cnn), _remaining("ResNet18", resnet), _gap([*cnn, *resnet])]
    return FigureSpec("predicted", "predicted", "CIFAR10, SAP (p=0.5, q=1.0), global", CAPTIONS["predicted"],
                      tuple(panels), tuple(map(_said, found)),
                      title="Published curves: CIFAR-10, SAP (p=0.5, q=1.0), global pruning")  # fmt: skip


def _named(found: list[Prediction]) -> Iterator[tuple[Prediction, str, str]]:
    """Each with its name in the legend and its slot, the same in every panel."""
    for rank, p in enumerate(found):
        eta = f"$\\eta_r$={p.method.settings['eta_r']:g}"
        yield (p, eta, f"rank-{rank}") if p.model == "cnn" else (p, f"{NETWORKS[p.dataset, p.model]}, {eta}", "other-1")


def _remaining(title: str, found: list[Prediction]) -> CurvePanel:
    ours, theirs = [], []
    for p, label, slot in _named(found):
        kept = p.tested
        zero = np.zeros(int(kept.sum()))
        ours.append(Curve(label, slot, label, p.t[kept], p.t[kept], p.predicted[kept], zero, NO_SEED))
        theirs.append(Curve(label, slot, label, p.t[kept], p.t[kept], p.published[kept], zero))
    return CurvePanel(tuple(ours), ITERATION, LABELS["percent_remaining"], "predicted_remaining", "global",
                      title=title, spread="y", published=tuple(theirs))  # fmt: skip


def _gap(found: list[Prediction]) -> CurvePanel:
    curves = []
    for p, label, slot in _named(found):
        t, values = p.t[p.tested], ((p.predicted - p.published) / p.error)[p.tested]
        curves.append(Curve(label, slot, label, t, t, values, np.zeros_like(values), NO_SEED))
    return CurvePanel(tuple(curves), ITERATION, "Reading errors", "predicted_gap", "global",
                      title="Difference", y_limits=(-1.5, 1.5))  # fmt: skip


def _said(p: Prediction) -> str:
    gap = np.abs(p.predicted - p.published)[p.tested]
    return (f"{NETWORKS[p.dataset, p.model]}, {p.method.text}: {gap.size} points, largest difference "
            f"{gap.max():.2g} percentage points, {p.within(p.predicted):.0%} within the reading error")  # fmt: skip


def unaveraged() -> FigureSpec:
    """The published accuracies, means over iterations 0..t, behind those of each iteration that they are means of."""
    panels = [_accuracies(network, side) for network in NETWORKS for side in ("retrained", "pruned")]
    return FigureSpec("unaveraged", "unaveraged", "CIFAR10, global", CAPTIONS["unaveraged"], tuple(panels),
                      title="Published curves: CIFAR-10, global pruning", pale="drawn (running mean)")  # fmt: skip


def _accuracies(network: tuple[str, str], side: str) -> CurvePanel:
    ours, theirs = [], []
    for method in FOUR_METHODS:
        drawn = published_curves()[Key(*network, "global", f"{side}_accuracy", method.short)]
        own = drawn.unaveraged()
        ours.append(Curve(method.label, method.short, method.short, own.t, own.t, own.y, own.reading_error, NO_SEED))
        theirs.append(Curve(method.label, method.short, method.short, drawn.t, drawn.t, drawn.y, 0 * drawn.y))
    return CurvePanel(tuple(ours), ITERATION, LABELS["accuracy"], f"{side}_accuracy", "global",
                      title=f"{NETWORKS[network]}, {side}", published=tuple(theirs))  # fmt: skip


def rereading() -> FigureSpec:
    """Fig. 3a as it was drawn, and as its own data have it; a row for each scope."""
    readings = {"as drawn": PUBLISHED, "corrected": CORRECTED}
    whole = [[_tradeoff(scope, how, reading) for how, reading in readings.items()] for scope in SCOPES]
    seen = [y for row in whole for p in row for c in p.curves for y in c.y[(c.x >= DIFFER[0]) & (c.x <= DIFFER[1])]]
    y_limits = min(seen) - 0.5, max(seen) + 0.5
    panels: list[CurvePanel] = []
    for row in whole:
        large = (replace(p, zoom=True, x_limits=DIFFER, y_limits=y_limits) for p in row)
        panels += [*row, *(replace(p, title=f"{how}, enlarged") for p, how in zip(large, readings, strict=True))]
    return FigureSpec("rereading", "rereading", "CIFAR10, CNN", CAPTIONS["rereading"], tuple(panels), columns=4,
                      title="Published curves: CIFAR-10, CNN")  # fmt: skip


def _tradeoff(scope: str, how: str, reading: Reading) -> CurvePanel:
    curves = []
    for method in FOUR_METHODS:
        found = published_in(Key("cifar10", "cnn", scope, "tradeoff", method.short), reading)
        if found is not None:
            t, x, y = (values[found.x > X_READING_ERROR] for values in (found.t, found.x, found.y))
            curves.append(Curve(method.label, method.short, method.short, t, x, y, np.zeros_like(y), NO_SEED,
                                cut=bool(t[-1] < LAST)))  # fmt: skip
    return CurvePanel(tuple(curves), LABELS["percent_remaining"], LABELS["accuracy"], "tradeoff", scope,
                      title=f"{scope.capitalize()}, {how}", spread="x", y_limits=(8.0, 94.0))  # fmt: skip


OF_PAPER: dict[str, Callable[[], FigureSpec]] = {
    "predicted": predicted,
    "unaveraged": unaveraged,
    "rereading": rereading,
}
