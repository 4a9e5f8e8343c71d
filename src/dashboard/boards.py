"""A saved workspace and a report of the same panels."""

from dataclasses import replace
from typing import Any

import wandb_workspaces.reports.v2.interface as wr
import wandb_workspaces.workspaces.interface as ws
from wandb_workspaces import expr

from src.dashboard.panels import COLUMNS, ITERATION, SUBJECT, Part, parts

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
