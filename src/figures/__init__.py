"""Figures, tables and distances of the paper from stored records; `python -m src.figures --help`."""

from pathlib import Path


def run_figure(run_folder: Path, destination: Path) -> Path:
    """Draw accuracy, percent remaining, PQ Index and Gini index of a finished run; see `single_run.run_figure`."""
    from src.figures.single_run import run_figure as draw_run  # matplotlib and pandas, when something is drawn

    return draw_run(run_folder, destination)


__all__ = ["run_figure"]
