"""Runs and studies made in memory, with tables whose claims are known."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from src.records.method import SAP, Method
from src.records.run import LayerTable, Run
from src.records.study import Setting, Study


def run(
    seed: int = 0,
    method: Method = SAP,
    scope: str = "global",
    layers: dict[str, Sequence[float]] | None = None,
    **columns: Sequence[float],
) -> Run:
    """A finished run with these columns of iterations.csv; `layers` has percent remaining per layer, two by default."""
    table = {name: np.asarray(values, np.float64) for name, values in columns.items()}
    count = len(next(iter(table.values())))
    table.setdefault("percent_remaining", 100 * 0.8 ** np.arange(count))
    table.setdefault("remaining", table["percent_remaining"])
    table.setdefault("retained_bound", np.append(table["remaining"][1:], np.nan))
    table.setdefault("retrained_accuracy", np.linspace(90, 10, count))
    table.setdefault("retrained_pqi", np.linspace(0.3, 0.1, count))
    table.setdefault("pruned_pqi", table["retrained_pqi"] / 2)
    config = {"trainer": {"name": "paper"}, "protocol": {"name": "reference"}}
    name = f"{method.short}-{seed}"
    made = Run(Path("nowhere"), name, name, "finished", count, count, "cifar10", "cnn", method, scope, seed, config)
    layers = layers or dict.fromkeys(("first", "last"), table["percent_remaining"])
    names, percent = tuple(layers), np.array(list(layers.values())).T
    made.__dict__.update(table=table, layers=LayerTable(names, {"percent_remaining": percent}))
    return made


def study(runs: Iterable[Run]) -> Study:
    members = tuple(runs)
    detail = '{"dataset": {}, "trainer": {}, "protocol": {}}'
    return Study(Setting("cifar10", "cnn", members[0].iterations, "paper", "reference", detail), members, "s")


def noisy(curve: Sequence[float], seeds: int = 4, spread: float = 0.002) -> list[np.ndarray]:
    """The curve once per seed, with Gaussian noise."""
    return [
        np.asarray(curve) + spread * np.random.default_rng(seed).standard_normal(len(curve)) for seed in range(seeds)
    ]
