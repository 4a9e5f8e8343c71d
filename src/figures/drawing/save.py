"""Write a figure as PDF, SVG and PNG without dates, so that equal records give equal files."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from src.figures.style import Style

FORMATS = ("pdf", "svg", "png")
PNG_DPI = 200
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def save(figure: Figure, stem: Path, style: Style, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write `<stem>.<format>` for each format, each file replaced as a whole; returns the paths."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    return [_save(figure, stem.with_name(f"{stem.name}.{suffix}"), suffix, style) for suffix in formats]


def _save(figure: Figure, path: Path, suffix: str, style: Style) -> Path:
    part = path.with_name(path.name + ".part")
    tight = {} if style.legend_above else {"bbox_inches": "tight", "pad_inches": 0.02}
    with mpl.rc_context(dict(style.rc)):
        figure.savefig(part, format=suffix, dpi=PNG_DPI, metadata=_METADATA[suffix], **tight)
    os.replace(part, path)
    return path
