"""The panels: what is drawn against what, in the names that a run logs (`src/tracking/metrics.py`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import wandb_workspaces.reports.v2.interface as wr

from src.records.method import ABLATIONS, Ablation
from src.tracking.metrics import METRICS

COLUMNS = 4
"""Panels in a row, as in the paper's figures."""
SUBJECT = ("dataset.name", "model.name", "prune.scope", "method.label")
"""Runs that are alike in these differ in their seed: a curve is their mean, its band their standard deviation."""
SWEPT = ("p", "q", "eta_r", "gamma")
ITERATION, REMAINING, EPOCH = "iteration", "percent_remaining", "epoch"


@dataclass(frozen=True)
class Part:
    """A row or two of panels under a heading; `only` filters the runs, where a board can."""

    title: str
    text: str
    panels: tuple[Any, ...]
    only: str = ""


def name_of(column: str, x: str, table: str = "iterations") -> str:
    """What a column of the records is called in W&B where it is drawn against `x`."""
    (name,) = [metric.name for metric in METRICS if (metric.table, metric.column, metric.x) == (table, column, x)]
    return name


def parts() -> tuple[Part, ...]:
    """All parts, in the order of the paper."""
    return (
        Part("Retrained networks", "As Fig. 2a: the networks after retraining.", _row("retrained")),
        Part("Pruned networks", "As Fig. 2b: the networks after pruning, before they are retrained.", _row("pruned")),
        Part(
            "Against percent remaining",
            "PQ Index, Gini index and accuracy against the weights left, so that methods are compared at equal "
            "sparsity.",
            tuple(_sparsity(f"{side}_{column}") for side in ("retrained", "pruned") for column in MEASURES),
        ),
        Part("Layers", "As Fig. 3: percent remaining, PQ Index and Gini index of each layer.", _layers()),
        *(_sweep(name, ablation) for name, ablation in ABLATIONS.items()),
        Part(
            "All settings of SAP",
            "Parameters and what they lead to at iteration T.",
            _settings(),
            _filter({"name": "sap"}),
        ),
        Part("Training", "Learning curves of all iterations, one after the other.", _training()),
    )


MEASURES = {"accuracy": "accuracy (%)", "pqi": "PQ Index", "gini": "Gini index"}


def _row(side: str, **options: Any) -> tuple[Any, ...]:
    remaining = line("Remaining weights (%)", [name_of(REMAINING, ITERATION)], ITERATION, log_y=True, **options)
    measures = [
        line(f"{side.capitalize()} {text}", [name_of(f"{side}_{column}", ITERATION)], ITERATION, **options)
        for column, text in MEASURES.items()
    ]
    return (measures[0], remaining, *measures[1:])


def _sparsity(column: str) -> Any:
    side, measure = column.split("_", 1)
    title = f"{side.capitalize()} {MEASURES[measure]} by remaining weights (%)"
    return line(title, [name_of(column, REMAINING)], REMAINING, log_x=True)


def _layers() -> tuple[Any, ...]:
    columns = {REMAINING: "Remaining weights (%)", "retrained_pqi": "PQ Index", "retrained_gini": "Gini index"}
    return tuple(
        wr.LinePlot(
            title=f"{text} by layer",
            x=ITERATION,
            metric_regex=name_of(column, ITERATION, "layers").replace("{layer}", ".+"),
            **_BANDS,
        )
        for column, text in columns.items()
    )


def _sweep(name: str, ablation: Ablation) -> Part:
    """Four panels with runs grouped by the parameter, of runs that have the sweep's other parameters."""
    parameter, figure = ablation.parameter, "4" if name in ("p", "q") else "5"
    fixed = {"name": "sap"} | {key: ablation.base.settings[key] for key in SWEPT if key != parameter}
    text = f"As Fig. {figure}: SAP with {ablation.letter} varied ({ablation.fixed})."
    panels = _row("retrained", groupby=wr.Config(f"prune.{parameter}"))
    return Part(f"Sweep of {ablation.letter}", text, panels, _filter(fixed))


def _filter(values: Mapping[str, object]) -> str:
    return " and ".join(f"Config('prune.{key}') = {value!r}" for key, value in values.items())


def _settings() -> tuple[Any, ...]:
    finals = [name_of(column, ITERATION) for column in (REMAINING, "retrained_pqi", "retrained_accuracy")]
    parameters = [wr.ParallelCoordinatesPlotColumn(metric=wr.Config(f"prune.{key}")) for key in SWEPT]
    results = [
        wr.ParallelCoordinatesPlotColumn(metric=wr.SummaryMetric(name), log=name == REMAINING) for name in finals
    ]
    scatter = wr.ScatterPlot(
        title="Final accuracy by final remaining weights (%)",
        x=wr.SummaryMetric(finals[0]),
        y=wr.SummaryMetric(finals[-1]),
        log_x=True,
    )
    return (wr.ParallelCoordinatesPlot(title="p, q, η_r, γ", columns=[*parameters, *results]), scatter)


def _training() -> tuple[Any, ...]:
    columns = {"Loss": ("train_loss", "test_loss"), "Accuracy (%)": ("train_accuracy", "test_accuracy")}
    curves = [line(f"{title} by epoch", [name_of(c, EPOCH, "epochs") for c in names], EPOCH) for title, names in
              columns.items()]  # fmt: skip
    return (*curves, line("Learning rate", [name_of("learning_rate", EPOCH, "epochs")], EPOCH))


_BANDS: dict[str, Any] = {"groupby_aggfunc": "mean", "groupby_rangefunc": "stddev", "max_runs_to_show": 100}


def line(title: str, metrics: Sequence[str], x: str, **options: Any) -> Any:
    """A line plot of metrics; where runs are grouped, their mean with a band of a standard deviation."""
    return wr.LinePlot(title=title, x=x, y=list(metrics), **_BANDS, **options)
