"""Engines: what answers a trajectory's requests. They know masks and nothing of pruning."""
