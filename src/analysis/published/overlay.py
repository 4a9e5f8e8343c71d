"""The published curve that belongs behind one of ours, in the same reading."""

from dataclasses import replace

import numpy as np

from src.analysis.figures.readings import EXCHANGED, Reading
from src.analysis.figures.spec import Curve, CurvePanel, FigureSpec
from src.analysis.published.curves import X_READING_ERROR, Key, PublishedCurve, published_curves
from src.records.method import ONE_SHOT
from src.records.study import Setting

NO_LAYER_PQI = "Published layer-wise PQ Index curves mix (p, q); they can be compared in the published reading only."


def with_published(spec: FigureSpec, setting: Setting, reading: Reading) -> FigureSpec:
    """The figure with the published curves put behind ours where there are any."""
    panels = tuple(
        replace(panel, published=_behind(panel, setting, reading)) if isinstance(panel, CurvePanel) else panel
        for panel in spec.panels
    )
    mixed = spec.kind == "si_layer" and reading.si_layer_pq == "fixed"
    there = any(key.dataset == setting.dataset and key.model == setting.model for key in published_curves())
    return replace(spec, panels=panels, notes=(*spec.notes, *[NO_LAYER_PQI] * (mixed and there)))


def published_in(key: Key, reading: Reading) -> PublishedCurve | None:
    """The published curve as it reads in `reading`; None where it was not published or cannot be converted."""
    if key.quantity == "layer_pqi" and reading.si_layer_pq == "fixed":
        return None
    if key.quantity == "tradeoff":
        return _tradeoff(key, reading)
    if key.quantity == "pruned_accuracy_difference" and reading.accuracy == "per_iteration":
        return _difference(key, reading)
    curve = published_curves().get(key)
    averaged = key.quantity in ("retrained_accuracy", "pruned_accuracy")
    return curve.unaveraged() if curve and averaged and reading.accuracy == "per_iteration" else curve


def _behind(panel: CurvePanel, setting: Setting, reading: Reading) -> tuple[Curve, ...]:
    curves = []
    for ours in panel.curves:
        method, layer = (panel.method, ours.key) if panel.method else (ours.key, "")
        key = Key(setting.dataset, setting.model, panel.scope, panel.quantity, method, layer)
        if (found := published_in(key, reading)) is not None:
            curve = Curve(ours.label, ours.slot, ours.key, found.t, found.t, found.y, found.reading_error)
            tradeoff = panel.quantity == "tradeoff"
            curves.append(replace(curve, x=found.x, x_error=X_READING_ERROR) if tradeoff else curve)
    return tuple(curves)


def _tradeoff(key: Key, reading: Reading) -> PublishedCurve | None:
    """Fig. 3a; in the corrected reading the x values of the neuron and the global panel are exchanged back."""
    curve = published_curves().get(key)
    if curve is None:
        return None
    if reading.accuracy == "per_iteration":
        curve = curve.unaveraged()
    if reading.ratio_axes == "published" or key.scope == "layer":
        return curve
    other = published_curves().get(replace(key, scope=EXCHANGED[key.scope]))
    if other is None:
        return None
    curve, other = curve.restricted_to(other.t), other.restricted_to(curve.t)
    return replace(curve, x=other.x)


def _difference(key: Key, reading: Reading) -> PublishedCurve | None:
    """Accuracy difference of the iteration itself; one-shot's is remade from its un-averaged accuracies."""
    curves = published_curves()
    if key.method != ONE_SHOT.short:
        drawn = curves.get(key)
        return drawn.unaveraged() if drawn else None
    pruned = curves.get(replace(key, quantity="pruned_accuracy"))
    dense = curves.get(replace(key, quantity="retrained_accuracy"))
    if pruned is None or dense is None:
        return None
    after, retrained = pruned.unaveraged(), dense.unaveraged().restricted_to(pruned.t)
    if reading.one_shot_difference == "retrained":
        before, error = retrained.y, retrained.reading_error
    else:
        before = np.append(retrained.y[:1], after.y[:-1])
        error = np.append(retrained.reading_error[:1], after.reading_error[:-1])
    return replace(after, y=before - after.y, reading_error=np.hypot(error, after.reading_error))
