"""Mirrors of a run's records; they know the records and nothing of training."""

from src.tracking.metrics import METRICS, Metric
from src.tracking.opening import open_tracker
from src.tracking.tracker import NoTracker, Tracker

__all__ = ["METRICS", "Metric", "NoTracker", "Tracker", "open_tracker"]
