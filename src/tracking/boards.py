"""A saved workspace and a report of the same panels, and what W&B's library keeps to itself of them.

`spec_of`, `workspace` and `save_workspace` use members of wandb-workspaces that are not public: it offers no way to
see what would be sent, nor to give a saved view the name under which it is found again.
"""

from dataclasses import replace
from typing import Any

import wandb_workspaces.reports.v2.interface as wr
import wandb_workspaces.workspaces.interface as ws
from wandb_workspaces import expr

from src.tracking.panels import COLUMNS, ITERATION, SUBJECT, Part, parts

TITLE = "PQ Index and SAP"
REPORT_TITLE = "PQ Index and SAP along pruning"
VIEW = "pqindexsap1"
"""Part of the workspace's address; the same for every user, so that the command updates what it made."""
GRID_WIDTH, HEIGHT, WIDE = 24, 6, 12
"""A report's grid has 24 columns."""


def workspace(entity: str, project: str) -> Any:
    """The workspace, runs grouped so that each curve is a method's mean over seeds."""
    made = ws.Workspace(
        entity=entity,
        project=project,
        name=TITLE,
        sections=[
            ws.Section(
                name=part.title,
                panels=list(part.panels),
                is_open=True,
                layout_settings=ws.SectionLayoutSettings(columns=COLUMNS, rows=-(-len(part.panels) // COLUMNS)),
            )
            for part in parts()
        ],
        settings=ws.WorkspaceSettings(x_axis=ITERATION, max_runs=100),
        runset_settings=ws.RunsetSettings(groupby=[expr.Config(key) for key in SUBJECT]),
    )
    made._internal_name = f"nw-{VIEW}-v"
    return made


def report(entity: str, project: str) -> Any:
    """The report: a heading, a sentence and a grid of panels for each part."""
    blocks: list[Any] = [wr.TableOfContents()]
    for part in parts():
        blocks += [wr.H2(text=part.title), wr.P(text=part.text), _grid(part)]
    return wr.Report(
        entity=entity,
        project=project,
        title=REPORT_TITLE,
        description="Curves are means over seeds, bands standard deviations; made by `python -m src.dashboard`.",
        blocks=blocks,
        width="fluid",
    )


def spec_of(board: Any) -> dict[str, Any]:
    """What is sent to W&B for a workspace or a report, as JSON."""
    spec: dict[str, Any] = board._to_model().spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return spec


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


def _grid(part: Part) -> Any:
    """Panels of the runs of the report's own project."""
    runs = wr.Runset(name="Runs", filters=part.only, groupby=[f"config.{key}" for key in SUBJECT])
    return wr.PanelGrid(runsets=[runs], panels=_laid_out(part.panels))


def _laid_out(panels: tuple[Any, ...]) -> list[Any]:
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
