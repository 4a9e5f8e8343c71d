"""Figures of the paper from stored records; `python -m src.figures --help`."""
