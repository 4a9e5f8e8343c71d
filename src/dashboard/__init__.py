"""Weights & Biases dashboards as code; `python -m src.dashboard --help`."""
