"""Tables of results from stored records; `python -m src.tables --help`."""
