"""A figure to be made: what it shows, and how it is built from records once these are known to be there."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from src.analysis.figures.readings import Reading, accuracy, difference, mean_std, pqi
from src.analysis.figures.spec import (
    FEW_WEIGHTS,
    ITERATION,
    LABELS,
    NAMES,
    OTHERS,
    Curve,
    CurvePanel,
    FigureSpec,
    HeatPanel,
)
from src.config.part import safe_name
from src.files import read_yaml
from src.records.library import Condition
from src.records.method import CLASSES, FOUR_METHODS, Method
from src.records.run import FloatArray, Run, Side
from src.records.schema import SCOPES, plain
from src.records.study import Study

WISE = {"neuron": "neuron-wise", "layer": "layer-wise"}
TITLES = {"neuron": "Neuron-wise Pruning", "layer": "Layer-wise Pruning", "global": "Global Pruning"}


@dataclass(frozen=True)
class Series:
    """One curve: its method, its name in the legend, and its slot in the style.

    guest: of a kind of method that the paper has not, shown beside the paper's where it was run, never needed.
    """

    method: Method
    label: str
    slot: str
    guest: bool = False


METHOD_SERIES = tuple(Series(method, method.label, method.short) for method in FOUR_METHODS)


@dataclass(frozen=True, eq=False)
class Plan:
    """`build` needs at least one finished run of the series in the scopes.

    compares_readings: shows readings beside each other, whichever is asked for.
    """

    kind: str
    study: Study
    scopes: tuple[str, ...]
    series: tuple[Series, ...]
    build: Callable[[Reading], FigureSpec]
    compares_readings: bool = False

    @property
    def conditions(self) -> list[Condition]:
        return [(scope, s.method) for scope in self.scopes for s in self.series if not s.guest]

    @property
    def guests(self) -> list[Condition]:
        """What it shows as well, as far as it was run."""
        shown = [(scope, s.method) for scope in self.scopes for s in self.series if s.guest]
        return [condition for condition in shown if self.study.series(*condition)]

    @property
    def drawable(self) -> bool:
        return any(self.study.series(*condition) for condition in (*self.conditions, *self.guests))


@dataclass(frozen=True)
class Filter:
    """What is to be drawn: scopes, short names of methods, of studies of a data set and a model.

    None takes all; of the methods the paper's and those of other kinds.
    """

    scopes: tuple[str, ...] = SCOPES
    methods: tuple[str, ...] | None = None
    dataset: tuple[str, ...] | None = None
    model: tuple[str, ...] | None = None

    def of(self, series: Iterable[Series]) -> tuple[Series, ...]:
        return tuple(s for s in series if self.methods is None or s.method.short in self.methods)

    def series(self, series: Sequence[Series], study: Study) -> tuple[Series, ...]:
        """Those whose method is to be drawn, and the study's other methods: asked for, or of kinds of their own.

        Where classes give two methods the same label, the later one's short name is added to it.
        """
        recorded = {run.method.short: run.method for run in study.all_runs}
        guests = sorted(short for short, method in recorded.items() if method.kind not in CLASSES)
        names = dict.fromkeys(guests if self.methods is None else self.methods)
        others = [recorded[name] for name in names if name in recorded.keys() - {s.method.short for s in series}]
        made = [Series(m, m.label, f"other-{i % OTHERS}", self.methods is None) for i, m in enumerate(others)]
        shown: list[Series] = []
        for s in (*self.of(series), *made):
            double = any(s.label == other.label for other in shown)
            shown.append(replace(s, label=f"{s.label} [{s.method.short}]") if double else s)
        return tuple(shown)


Planner: TypeAlias = Callable[[str, Study, Filter], list[Plan]]
"""The figures of one kind that a study has runs for."""


CAPTIONS: dict[str, Any] = read_yaml(Path(__file__).with_name("captions.yaml"))


def figure(
    kind: str, study: Study, panels: Iterable[CurvePanel | HeatPanel], scope: str = "", method: Method | None = None,
    caption: str = "", error: str = "", notes: Iterable[str] = (),
) -> FigureSpec:  # fmt: skip
    """A figure of a study, named and headed by what it is of; its caption is the kind's where none is given.

    Where it shows one method alone the heading says which.
    """
    caption, panels = caption or CAPTIONS[kind], tuple(panels)
    curves = [curve for panel in panels if isinstance(panel, CurvePanel) for curve in panel.curves if curve.seeds]
    counts, shown = {len(curve.seeds) for curve in curves}, {plain(curve.label) for curve in curves}
    subject = method.text if method else shown.pop() if len(shown) == 1 and kind != "length" else ""
    names = [kind, error, study.name, scope, method.short if method else ""]
    headings = [study.setting.text, f"{scope} pruning" if scope else "", subject]
    name, heading = safe_name("_".join(filter(None, names))), ", ".join(filter(None, headings))
    title = title_of(study, scope, subject, counts)
    if len(counts) > 1 or kind == "length":
        panels = tuple(map(_with_counts, panels))
    return FigureSpec(kind, name, heading, caption, panels, tuple(notes), study.setting, error=error, title=title)


def _with_counts(panel: CurvePanel | HeatPanel) -> CurvePanel | HeatPanel:
    """The panel, its curves' labels with how many seeds each has."""
    if isinstance(panel, HeatPanel):
        return panel
    counts = ((curve, len(curve.seeds)) for curve in panel.curves)
    return replace(panel, curves=tuple(replace(c, label=f"{c.label}, {n} seed{'s' * (n != 1)}") for c, n in counts))


def title_of(study: Study, scope: str = "", subject: str = "", seeds: Collection[int] = ()) -> str:
    """What a picture is of: data set, model, what sets it apart, scope, subject, then epochs of a training, seeds.

    seeds: how many its curves have; else those of the study are counted.
    """
    setting = study.setting
    scope_text = "layer-wise = global" if study.one_layer and scope == "global" else WISE.get(scope, scope)
    network = [NAMES.get(name, name) for name in (setting.dataset, setting.model)]
    what = [*network, *study.apart, f"{scope_text} pruning" if scope else "", subject]
    epochs = f"{setting.epochs} epoch{'s' * (setting.epochs != 1)} a training" if setting.epochs else ""
    least, most = (min(seeds), max(seeds)) if seeds else (len(study.seeds), len(study.seeds))
    count = f"{least} to {most}" if least < most else f"{most}"
    how = [epochs, f"{count} seed{'s' * (most != 1)}" if most else ""]
    return f"{', '.join(filter(None, what))} ({', '.join(filter(None, how))})"


@dataclass(frozen=True)
class Line:
    """Slot in the style, name in the legend, key, one run per seed."""

    slot: str
    label: str
    key: str
    runs: tuple[Run, ...]

    def curve(self, value: Callable[[Run], FloatArray], reading: Reading, x: FloatArray | None = None) -> Curve:
        """The line's curve of a run's values [n], against the iteration where no x is given."""
        each = np.stack([value(run) for run in self.runs])
        t = np.arange(each.shape[1], dtype=np.float64)
        left = np.mean([run.table["remaining"] for run in self.runs], axis=0)
        few = left[len(left) - len(t) :] < FEW_WEIGHTS  # pruned networks begin with those of the next iteration
        few_from = float(t[few].min(initial=np.inf))
        seeds, x = tuple(run.seed for run in self.runs), t if x is None else x
        drawn = mean_std(each, reading.ddof)
        return Curve(self.label, self.slot, self.key, t, x, *drawn, seeds, each=each, few_from=few_from)

    @property
    def left(self) -> FloatArray:
        """Percent remaining, mean over seeds, [n]."""
        return np.asarray(np.mean([run.table["percent_remaining"] for run in self.runs], axis=0))


def lines_of(study: Study, scope: str, series: Iterable[Series]) -> tuple[Line, ...]:
    """One line for each series that the study has runs of."""
    lines = (Line(s.slot, s.label, s.method.short, study.series(scope, s.method)) for s in series)
    return tuple(line for line in lines if line.runs)


def panel(curves: Iterable[Curve], name: str, side: str, scope: str, reading: Reading, **more: Any) -> CurvePanel:
    """What `name` says along the iterations: of accuracies they, or their running means.

    Error bars of percent remaining were not published in percent (B5).
    """
    if name == "percent_remaining":
        more |= {"spread": "y", "bar_scale": 0.01 if reading.pr_std == "legacy" else 1.0}
    label = LABELS[reading.accuracy if (name, reading.accuracy) == ("accuracy", "running_mean") else name]
    return CurvePanel(tuple(curves), ITERATION, label, f"{side}_{name}", scope, **more)


def row_of_panels(side: Side, lines: Sequence[Line], scope: str, reading: Reading) -> list[CurvePanel]:
    """The four panels of the retrained models, t = 0..T, or of the pruned ones before retraining (PROTOCOL 6.1, 6.2).

    Accuracy, percent remaining, PQ Index and Gini index; or accuracy and PQ Index, each with what pruning took away.
    """
    values: dict[str, Callable[[Run], FloatArray]] = {
        "accuracy": lambda run: accuracy(run, side, reading),
        "percent_remaining": lambda run: run.table["percent_remaining"],
        "accuracy_difference": lambda run: difference([run], "accuracy", reading)[0],
        "pqi": lambda run: pqi(run, side, reading),
        "gini": lambda run: run.table["retrained_gini"],
        "pqi_difference": lambda run: difference([run], "pqi", reading)[0],
    }
    shown = {
        "retrained": ("accuracy", "percent_remaining", "pqi", "gini"),
        "pruned": ("accuracy", "accuracy_difference", "pqi", "pqi_difference"),
    }[side]

    def curve(line: Line, name: str) -> Curve:
        drawn, of = line.curve(values[name], reading), name.removesuffix("_difference")
        if of == name or reading.diff_std == "paired":
            return drawn
        return replace(drawn, error=difference(line.runs, of, reading)[1], each=None)  # no longer one of the seeds'

    made = [panel([curve(line, name) for line in lines], name, side, scope, reading) for name in shown]
    return [replace(made[0], legend="lower left"), *made[1:]]
