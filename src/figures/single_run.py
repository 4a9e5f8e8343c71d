"""The four panels of one run, for Weights & Biases and a quick look."""

from pathlib import Path

from src.figures.drawing import draw, save
from src.figures.kinds.lines import Line
from src.figures.kinds.rows import retrained_panels
from src.figures.readings import CORRECTED
from src.figures.records.library import load_run
from src.figures.spec import FigureSpec
from src.figures.style import STYLES


def run_figure(run_folder: Path, destination: Path) -> Path:
    """Draw accuracy, percent remaining, PQ Index and Gini index of a run whose iterations are all recorded.

    `destination` is the PNG to write, or a folder to write `<run name>.png` into; returns the PNG's path.
    """
    run = load_run(run_folder)
    label = f"{run.method.label}, {run.dataset}, {run.model}, {run.scope}, seed {run.seed}"
    line = Line(run.method.key, label, run.method.key, (run,))
    spec = FigureSpec("run", run.name, label, "", retrained_panels([line], run.scope, CORRECTED), (run.seed,))
    stem = destination.with_suffix("") if destination.suffix == ".png" else destination / run.name
    style = STYLES["default"]
    return save(draw(spec, style), stem, style, ["png"])[0]
