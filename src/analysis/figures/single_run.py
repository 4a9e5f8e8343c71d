"""The four panels of one run, for Weights & Biases and a quick look; it is loaded by every training."""

from pathlib import Path

import numpy as np

from src.analysis.figures.drawing.row import draw, save
from src.analysis.figures.spec import ACCURACY, GINI, ITERATION, PQI, REMAINING, Curve, CurvePanel, FigureSpec
from src.analysis.figures.style import style_named
from src.records.run import Run, load_run

COLUMNS = {"retrained_accuracy": ACCURACY, "percent_remaining": REMAINING, "retrained_pqi": PQI, "retrained_gini": GINI}


def run_figure(run_folder: Path, destination: Path) -> Path:
    """Draw accuracy, percent remaining, PQ Index and Gini index of a run whose iterations are all recorded.

    `destination` is the PNG to write, or a folder to write `<run name>.png` into; returns the PNG's path.
    """
    run = load_run(run_folder)
    label = f"{run.method.label}, {run.dataset}, {run.model}, {run.scope}, seed {run.seed}"
    panels = tuple(_panel(run, label, column) for column in COLUMNS)
    stem = destination.with_suffix("") if destination.suffix == ".png" else destination / run.name
    style = style_named("default")
    return save(draw(FigureSpec("run", run.name, label, "", panels), style), stem, style, ["png"])[0]


def _panel(run: Run, label: str, column: str) -> CurvePanel:
    y = run.table[column]
    t = np.arange(len(y), dtype=np.float64)
    curve = Curve(label, run.method.short, run.method.short, t, t, y, np.zeros_like(y), (run.seed,))
    is_percent = column == "percent_remaining"
    return CurvePanel((curve,), ITERATION, COLUMNS[column], column, run.scope, spread="y" if is_percent else "")
