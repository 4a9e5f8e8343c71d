"""Stored runs: reading, selecting and grouping them. Nothing here knows of drawing."""

from src.figures.records.library import Library, load_library
from src.figures.records.method import Method
from src.figures.records.run import LayerTable, Run, Side
from src.figures.records.study import Selection, Setting, Study, studies

__all__ = [
    "LayerTable",
    "Library",
    "Method",
    "Run",
    "Selection",
    "Setting",
    "Side",
    "Study",
    "load_library",
    "studies",
]
