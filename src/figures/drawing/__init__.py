"""Draw a `FigureSpec` with matplotlib: no state, no pyplot, the same bytes every time."""

from src.figures.drawing.row import draw
from src.figures.drawing.save import FORMATS, save

__all__ = ["FORMATS", "draw", "save"]
