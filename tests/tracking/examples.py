"""Records of a small run, as the tracker gets them."""

import csv
from pathlib import Path
from typing import Any

from src.tracking.tracker import RunInfo

CONFIG = {
    "seed": 0,
    "prune": {"name": "sap", "p": 0.5, "q": 1.0},
    "model": {"name": "mlp"},
    "trainer": {"name": "quick", "epochs": 2},
}

ROWS: list[dict[str, Any]] = [
    {
        "iteration": t,
        "remaining": 100 - 10 * t,
        "total": 100,
        "percent_remaining": 100.0 - 10 * t,
        "retrained_accuracy": 80.0 + t,
        "retrained_loss": 0.5,
        "retrained_pqi": 0.1 * t,
        "retrained_gini": 0.4,
        "pruned_accuracy": None if t == 2 else 70.0,
        "pruned_pqi": None if t == 2 else 0.2,
    }
    for t in range(3)
]


def layers(iteration: int) -> list[dict[str, Any]]:
    return [
        {"iteration": iteration, "layer": name, "percent_remaining": 90.0, "retrained_pqi": 0.3, "pruned_pqi": None}
        for name in ("blocks.0.weight", "classifier.weight")
    ]


def epoch_row(iteration: int, epoch: int) -> dict[str, Any]:
    return {"iteration": iteration, "epoch": epoch, "train_loss": 1.0, "test_accuracy": 60.0, "selection_loss": None}


def write_iterations(path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def info(folder: Path, run_id: str = "1a2b3c4d") -> RunInfo:
    name, tags = f"fashion_mnist-mlp-{run_id}", ["fashion_mnist", "mlp"]
    return RunInfo(run_id, name, "quickstart", tags, CONFIG, folder, "pq-index-sap", entity=None)
