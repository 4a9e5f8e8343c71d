"""The digitised curves, as drawn and un-averaged, and those that belong behind ours, in the same reading."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from src.analysis.figures.readings import EXCHANGED, Reading
from src.analysis.figures.spec import Curve, CurvePanel, FigureSpec
from src.files import read_rows
from src.records.method import ONE_SHOT, paper_method
from src.records.run import FloatArray
from src.records.study import Setting

FILES = ("fig2_cifar10_cnn", "fig3_cifar10_cnn_scopes", "fig4_cifar10_cnn_pq", "fig5_cifar10_cnn_eta_gamma",
         "readme_cifar10_resnet18")  # fmt: skip
BARS = ("errorbars_visible",)
X_READING_ERROR = 0.1
"""Percentage points to which the digitised x of visible trade-off markers is good (errors were not kept per row)."""
NO_LAYER_PQI = "Published layer-wise PQ Index curves mix (p, q); they can be compared in the published reading only."


@dataclass(frozen=True)
class Key:
    """What a curve shows: `quantity` as in the files' column `panel`; `layer` is first, middle, last or empty."""

    dataset: str
    model: str
    scope: str
    quantity: str
    method: str
    layer: str = ""


@dataclass(frozen=True)
class PublishedCurve:
    """Values y at iterations t with the error of reading them, [n]; x is the drawn percent remaining of a trade-off."""

    t: FloatArray
    x: FloatArray
    y: FloatArray
    reading_error: FloatArray

    def unaveraged(self) -> "PublishedCurve":
        """a_t = (t+1) M_t - t M_{t-1} where both are known, reading errors added in squares (PROTOCOL 4.3)."""
        before = {int(t): i for i, t in enumerate(self.t)}
        kept = [i for i, t in enumerate(self.t) if t == 0 or int(t) - 1 in before]
        previous = [before.get(int(self.t[i]) - 1, i) for i in kept]
        t = self.t[kept]
        y = (t + 1) * self.y[kept] - t * self.y[previous]
        error = np.hypot((t + 1) * self.reading_error[kept], t * self.reading_error[previous])
        return PublishedCurve(t, self.x[kept], y, error)

    def restricted_to(self, t: FloatArray) -> "PublishedCurve":
        kept = np.isin(self.t, t)
        return PublishedCurve(self.t[kept], self.x[kept], self.y[kept], self.reading_error[kept])


@cache
def published_curves() -> dict[Key, PublishedCurve]:
    """All curves as drawn; where one was read from several figures, each point's most certain reading."""
    points: dict[Key, dict[int, dict[str, str]]] = {}
    for row in _rows(FILES):
        settings = {name: float(row[name]) for name in ("p", "q", "eta_r", "gamma") if row[name]}
        method = paper_method(row["method"], **settings or {"ratio": float(row["prune_ratio"])})
        network = (row["dataset"].lower(), row["model"].lower())
        best = points.setdefault(Key(*network, row["scope"], row["panel"], method.short, row["layer"]), {})
        t = int(row["iteration"])
        if t not in best or float(row["y_uncertainty"]) < float(best[t]["y_uncertainty"]):
            best[t] = row
    names = ("iteration", "x", "y", "y_uncertainty")
    return {
        key: PublishedCurve(*(np.array([float(best[t][name] or "nan") for t in sorted(best)]) for name in names))
        for key, best in points.items()
    }


@cache
def visible_bars(quantity: str) -> tuple[int, int]:
    """How many of a quantity's published markers have an error bar that sticks out, and how many markers there are."""
    bars, markers = (sum(row["panel"] == quantity for row in _rows(names)) for names in (BARS, FILES))
    return bars, markers


def _rows(names: Sequence[str]) -> Iterator[dict[str, str]]:
    for name in names:
        yield from read_rows(Path(__file__).with_name(f"{name}.csv"))


def with_published(spec: FigureSpec, setting: Setting, reading: Reading) -> FigureSpec:
    """The figure with the published curves put behind ours where there are any."""
    panels = tuple(
        replace(panel, published=_behind(panel, setting, reading)) if isinstance(panel, CurvePanel) else panel
        for panel in spec.panels
    )
    mixed = spec.kind == "si_layer" and reading.si_layer_pq == "fixed"
    there = any(key.dataset == setting.dataset and key.model == setting.model for key in published_curves())
    return replace(spec, panels=panels, notes=(*spec.notes, *[NO_LAYER_PQI] * (mixed and there)))


def _behind(panel: CurvePanel, setting: Setting, reading: Reading) -> tuple[Curve, ...]:
    curves = []
    for ours in panel.curves:
        method, layer = (panel.method, ours.key) if panel.method else (ours.key, "")
        key = Key(setting.dataset, setting.model, panel.scope, panel.quantity, method, layer)
        if (found := published_in(key, reading)) is not None:
            x, x_error = (found.x, X_READING_ERROR) if panel.quantity == "tradeoff" else (found.t, 0.0)
            curve = Curve(ours.label, ours.slot, ours.key, found.t, x, found.y, found.reading_error, x_error=x_error)
            curves.append(curve)
    return tuple(curves)


def published_in(key: Key, reading: Reading) -> PublishedCurve | None:
    """The published curve as it reads in `reading`; None where it was not published or cannot be converted."""
    curve = published_curves().get(key)
    each = reading.accuracy == "per_iteration"
    if key.quantity == "pruned_accuracy_difference" and each and key.method == ONE_SHOT.short:
        return _one_shots_difference(key, reading)
    if curve is None or (key.quantity == "layer_pqi" and reading.si_layer_pq == "fixed"):
        return None
    if each and ("accuracy" in key.quantity or key.quantity == "tradeoff"):
        curve = curve.unaveraged()
    if key.quantity == "tradeoff" and reading.ratio_axes == "own_scope" and key.scope != "layer":
        other = published_curves().get(replace(key, scope=EXCHANGED[key.scope]))  # whose x values were drawn here
        return replace(curve.restricted_to(other.t), x=other.restricted_to(curve.t).x) if other else None
    return curve


def _one_shots_difference(key: Key, reading: Reading) -> PublishedCurve | None:
    """Accuracy difference of the iteration itself, remade from one-shot's un-averaged accuracies."""
    curves = published_curves()
    pruned = curves.get(replace(key, quantity="pruned_accuracy"))
    dense = curves.get(replace(key, quantity="retrained_accuracy"))
    if pruned is None or dense is None:
        return None
    after, before = pruned.unaveraged(), dense.unaveraged().restricted_to(pruned.t)
    y, error = before.y, before.reading_error
    if reading.one_shot_difference == "successive":
        y, error = np.append(y[:1], after.y[:-1]), np.append(error[:1], after.reading_error[:-1])
    return replace(after, y=y - after.y, reading_error=np.hypot(error, after.reading_error))
