"""The report: one self-contained page from stored records; `python -m src.report --help`."""
