"""Mirrors of a run's records in Weights & Biases, and dashboards; they know the records and nothing of training."""
