"""The four panels of one run, for Weights & Biases and a quick look; it is loaded by every training."""

from pathlib import Path

import numpy as np

from src.analysis.figures.drawing.figure import draw, save
from src.analysis.figures.spec import ITERATION, LABELS, Curve, CurvePanel, FigureSpec, Spread, style_named
from src.config.part import safe_name
from src.errors import UserError
from src.files import read_rows
from src.records.schema import ITERATIONS_FILE, RUN_FILE, read_status

COLUMNS = ("retrained_accuracy", "percent_remaining", "retrained_pqi", "retrained_gini")


def run_figure(run_folder: Path, destination: Path) -> Path:
    """Draw accuracy, percent remaining, PQ Index and Gini index of a run along its iterations.

    `destination` is the PNG to write, or a folder to write `<run name>.png` into; returns the PNG's path.
    """
    run = read_status(run_folder)
    if run is None:
        raise UserError(f"{run_folder / RUN_FILE} is missing or damaged; run it again")
    method = run["method"]
    label = f"{method['label']}, {run['dataset']}, {run['model']}, {run['scope']}, seed {run['seed']}"
    rows = read_rows(run_folder / ITERATIONS_FILE)
    panels = []
    for column in COLUMNS:
        y = np.array([float(row[column] or "nan") for row in rows])
        t = np.arange(len(y), dtype=np.float64)
        curve = Curve(label, method["short"], method["short"], t, t, y, np.zeros_like(y), (run["seed"],))
        y_label = LABELS[column.removeprefix("retrained_")]
        spread: Spread = "y" if column == "percent_remaining" else ""
        panels.append(CurvePanel((curve,), ITERATION, y_label, column, run["scope"], spread=spread))
    stem = destination.with_suffix("") if destination.suffix == ".png" else destination / safe_name(run["name"])
    style = style_named("default")
    spec = FigureSpec("run", run["name"], label, "", tuple(panels), title=label)
    return save(draw(spec, style), stem, style, ["png"])[0]
