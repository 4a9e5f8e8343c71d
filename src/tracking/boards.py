"""A saved workspace and a report of the same panels: what is drawn against what, in the names that a run logs.

`spec_of`, `workspace` and `save_workspace` use members of wandb-workspaces that are not public: it offers no way to
see what would be sent, nor to give a saved view the name under which it is found again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import wandb_workspaces.reports.v2.interface as wr
import wandb_workspaces.workspaces.interface as ws
from wandb_workspaces import expr

from src.records.method import ABLATIONS
from src.tracking.metrics import METRICS

TITLE, REPORT_TITLE = "PQ Index and SAP", "PQ Index and SAP along pruning"
VIEW = "pqindexsap1"
"""Part of the workspace's address; the same for every user, so that the command updates what it made."""
COLUMNS = 4
"""Panels in a row, as in the paper's figures."""
GRID_WIDTH, HEIGHT, WIDE = 24, 6, 12
"""A report's grid has 24 columns."""
SUBJECT = (
    "dataset.name", "model.name", "prune.scope", "method.label", "trainer.epochs", "protocol.name", "prune.iterations",
)  # fmt: skip
"""Runs that are alike in these differ in their seed: a curve is their mean, its band their standard deviation."""
SWEPT = ("p", "q", "eta_r", "gamma")
ITERATION, REMAINING, EPOCH = "iteration", "percent_remaining", "epoch"
MEASURES = {"accuracy": "accuracy (%)", "pqi": "PQ Index", "gini": "Gini index"}
BANDS: dict[str, Any] = {"groupby_aggfunc": "mean", "groupby_rangefunc": "stddev", "max_runs_to_show": 100}


@dataclass(frozen=True)
class Part:
    """A row or two of panels under a heading; `only` filters the runs, where a board can."""

    title: str
    text: str
    panels: Sequence[Any]
    only: str = ""


def parts() -> list[Part]:
    by_remaining = [
        line(f"{side.capitalize()} {text} by remaining weights (%)", [f"{side}_{column}"], REMAINING, log_x=True)
        for side in ("retrained", "pruned")
        for column, text in MEASURES.items()
    ]
    learned = {"Loss by epoch": "loss", "Accuracy (%) by epoch": "accuracy"}
    training = [line(title, [f"train_{name}", f"test_{name}"], EPOCH, "epochs") for title, name in learned.items()]
    training.append(line("Learning rate", ["learning_rate"], EPOCH, "epochs"))
    return [
        Part("Retrained networks", "As Fig. 2a: the networks after retraining.", _row("retrained")),
        Part("Pruned networks", "As Fig. 2b: the networks after pruning, before they are retrained.", _row("pruned")),
        Part(
            "Against percent remaining",
            "PQ Index, Gini index and accuracy against the weights left, so that methods are compared at equal "
            "sparsity.",
            by_remaining,
        ),
        Part("Layers", "As Fig. 3: percent remaining, PQ Index and Gini index of each layer.", _layers()),
        *map(_sweep, ABLATIONS),
        Part(
            "All settings of SAP", "Parameters and what they lead to at iteration T.", _settings(), _only(name="sap"),
        ),
        Part("Training", "Learning curves of all iterations, one after the other.", training),
    ]  # fmt: skip


def name_of(column: str, x: str, table: str = "iterations") -> str:
    """What a column of the records is called in W&B where it is drawn against `x`."""
    (name,) = [metric.name for metric in METRICS if (metric.table, metric.column, metric.x) == (table, column, x)]
    return name


def line(title: str, columns: Sequence[str], x: str, table: str = "iterations", **options: Any) -> Any:
    """A line plot of columns; where runs are grouped, their mean with a band of a standard deviation."""
    return wr.LinePlot(title=title, x=x, y=[name_of(column, x, table) for column in columns], **BANDS, **options)


def _row(side: str, **options: Any) -> list[Any]:
    remaining = line("Remaining weights (%)", [REMAINING], ITERATION, log_y=True, **options)
    first, *others = (
        line(f"{side.capitalize()} {text}", [f"{side}_{column}"], ITERATION, **options)
        for column, text in MEASURES.items()
    )
    return [first, remaining, *others]


def _layers() -> list[Any]:
    columns = {REMAINING: "Remaining weights (%)", "retrained_pqi": "PQ Index", "retrained_gini": "Gini index"}
    names = {text: name_of(column, ITERATION, "layers").replace("{layer}", ".+") for column, text in columns.items()}
    return [
        wr.LinePlot(title=f"{text} by layer", x=ITERATION, metric_regex=name, **BANDS) for text, name in names.items()
    ]


def _sweep(name: str) -> Part:
    """Four panels with runs grouped by the parameter, of runs that have the sweep's other parameters."""
    sweep = ABLATIONS[name]
    fixed = {key: sweep.base.settings[key] for key in SWEPT if key != sweep.parameter}
    text = f"As Fig. {'4' if name in ('p', 'q') else '5'}: SAP with {sweep.letter} varied ({sweep.fixed})."
    text += " A curve is of all runs with its value: filter them where they differ in anything else."
    panels = _row("retrained", groupby=wr.Config(f"prune.{sweep.parameter}"))
    return Part(f"Sweep of {sweep.letter}", text, panels, _only(name="sap", **fixed))


def _only(**values: object) -> str:
    return " and ".join(f"Config('prune.{key}') = {value!r}" for key, value in values.items())


def _settings() -> list[Any]:
    finals = [name_of(column, ITERATION) for column in (REMAINING, "retrained_pqi", "retrained_accuracy")]
    column = wr.ParallelCoordinatesPlotColumn
    parameters = [column(metric=wr.Config(f"prune.{key}")) for key in SWEPT]
    results = [column(metric=wr.SummaryMetric(name), log=name == REMAINING) for name in finals]
    x, y = wr.SummaryMetric(finals[0]), wr.SummaryMetric(finals[-1])
    scatter = wr.ScatterPlot(title="Final accuracy by final remaining weights (%)", x=x, y=y, log_x=True)
    return [wr.ParallelCoordinatesPlot(title="p, q, η_r, γ", columns=[*parameters, *results]), scatter]


def workspace(entity: str, project: str) -> Any:
    """The workspace, runs grouped so that each curve is a mean over seeds of runs alike in SUBJECT."""
    sections = []
    for part in parts():
        layout = ws.SectionLayoutSettings(columns=COLUMNS, rows=-(-len(part.panels) // COLUMNS))
        sections.append(ws.Section(name=part.title, panels=list(part.panels), is_open=True, layout_settings=layout))
    made = ws.Workspace(
        entity=entity, project=project, name=TITLE, sections=sections,
        settings=ws.WorkspaceSettings(x_axis=ITERATION, max_runs=100),
        runset_settings=ws.RunsetSettings(groupby=[expr.Config(key) for key in SUBJECT]),
    )  # fmt: skip
    made._internal_name = f"nw-{VIEW}-v"
    return made


def report(entity: str, project: str) -> Any:
    """The report: a heading, a sentence and a grid of panels of the runs of its own project for each part."""
    blocks: list[Any] = [wr.TableOfContents()]
    for part in parts():
        runs = wr.Runset(name="Runs", filters=part.only, groupby=[f"config.{key}" for key in SUBJECT])
        grid = wr.PanelGrid(runsets=[runs], panels=_laid_out(part.panels))
        blocks += [wr.H2(text=part.title), wr.P(text=part.text), grid]
    description = "Curves are means over seeds, bands standard deviations; made by `python -m src.dashboard`."
    return wr.Report(
        entity=entity, project=project, title=REPORT_TITLE, description=description, blocks=blocks, width="fluid"
    )


def _laid_out(panels: Sequence[Any]) -> list[Any]:
    """Four panels a row; a plot of parallel coordinates and its neighbour take half a row each."""
    placed, x, y = [], 0, 0
    wide = any(isinstance(panel, wr.ParallelCoordinatesPlot) for panel in panels)
    for index, panel in enumerate(panels):
        width = WIDE if wide and index < GRID_WIDTH // WIDE else GRID_WIDTH // COLUMNS
        if x + width > GRID_WIDTH:
            x, y = 0, y + HEIGHT
        placed.append(replace(panel, layout=wr.Layout(x=x, y=y, w=width, h=HEIGHT)))
        x += width
    return placed


def spec_of(board: Any) -> Any:
    """What is sent to W&B for a workspace or a report, as JSON."""
    return board._to_model().spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def save_workspace(api: Any, entity: str, project: str) -> str:
    """Save the workspace over the one that an earlier call saved; its address."""
    made = workspace(entity, project)
    try:
        there = ws.Workspace.from_url(f"{api.settings['base_url']}/{entity}/{project}?nw={VIEW}")
        made._internal_id = there._internal_id
    except ValueError as error:
        if "Workspace" not in str(error):
            raise
    return str(made.save().url)


def save_report(api: Any, entity: str, project: str) -> str:
    """Save the report over the one that an earlier call saved; its address."""
    made = report(entity, project)
    there = [found for found in api.reports(f"{entity}/{project}") if found.display_name == REPORT_TITLE]
    if there:
        made.id = there[0].id
    return str(made.save().url)
