"""Write a figure as PDF, SVG and PNG without dates, so that equal records give equal files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from src.figures.style import Style
from src.store.atomic import replace

FORMATS = ("pdf", "svg", "png")
PNG_DPI = 300
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def save(figure: Figure, stem: Path, style: Style, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write `<stem>.<format>` for each format, each file replaced as a whole; returns the paths."""
    tight: dict[str, Any] = {} if style.clean else {"bbox_inches": "tight", "pad_inches": 0.02}

    def write(part: Path, suffix: str) -> None:
        with mpl.rc_context(style.rc):
            figure.savefig(part, format=suffix, dpi=PNG_DPI, metadata=_METADATA[suffix], **tight)

    paths = {suffix: stem.with_name(f"{stem.name}.{suffix}") for suffix in formats}
    return [replace(path, partial(write, suffix=suffix)) for suffix, path in paths.items()]
