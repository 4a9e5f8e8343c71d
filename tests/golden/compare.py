"""Compare a run's folder with a trace of the authors' numerics."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as torch_file

COUNT, MASK_SHARE, LOSS, ACCURACY, MEASURE = 2, 0.999, 1e-3, 0.3, 1e-4
"""Largest distance in weights, smallest share of equal mask entries, relative loss, points, PQI and Gini."""


@dataclass(frozen=True)
class Distance:
    """Largest distances over all iterations; `mask_share` is the smallest share of equal mask entries, or None."""

    count: int
    layer_count: int
    mask_share: float | None
    train_loss: float
    loss: float
    accuracy: float
    pqi: float
    gini: float
    best_epochs_equal: bool

    def check(self) -> None:
        assert self.count <= COUNT
        assert self.layer_count <= COUNT
        assert self.mask_share is None or self.mask_share >= MASK_SHARE
        assert self.train_loss <= LOSS
        assert self.loss <= LOSS
        assert self.accuracy <= ACCURACY
        assert self.pqi <= MEASURE
        assert self.gini <= MEASURE
        assert self.best_epochs_equal


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def by_iteration(path: Path, t: int) -> list[dict[str, str]]:
    return [row for row in rows(path) if int(row["iteration"]) == t]


def compare(folder: Path, trace: Path) -> Distance:
    """Distance of the records in `folder` from `trace`, a `.json` with the masks beside it where they are at hand.

    Where the run kept its weights, the PQ Index is not the recorded one but computed as the trace's, in float32: on a
    million weights that sum is itself off by 5e-4, and the records, in float64, are not.
    """
    golden = json.loads(trace.read_text())
    iterations = rows(folder / "iterations.csv")
    assert len(iterations) == len(golden["iterations"])
    counts, layer_counts, train, losses, accuracies, pqis, ginis = ([0.0] for _ in range(7))
    best = True
    for row, expected in zip(iterations, golden["iterations"], strict=True):
        t = expected["iteration"]
        layers, epochs = by_iteration(folder / "layers.csv", t), by_iteration(folder / "epochs.csv", t)
        counts.append(abs(int(row["remaining"]) - expected["remaining"]))
        for layer, alive, pqi in zip(
            layers,
            expected["remaining_per_layer"].values(),
            expected["retrained_pqi_p0.5_q1.0_layer"].values(),
            strict=True,
        ):
            layer_counts.append(abs(int(layer["remaining"]) - alive))
            pqis.append(abs(float(layer["retrained_pqi"]) - pqi))
        steps = np.array(expected["train_loss_per_step"]).reshape(len(epochs), -1).mean(1)
        for epoch, step, loss, accuracy in zip(
            epochs, steps, expected["test_loss_per_epoch"], expected["test_accuracy_per_epoch"], strict=True
        ):
            train.append(relative(epoch["train_loss"], step))
            losses.append(relative(epoch["test_loss"], loss))
            accuracies.append(abs(float(epoch["test_accuracy"]) - accuracy))
        pqis.append(abs(float(row["retrained_pqi"]) - expected["retrained_pqi_p0.5_q1.0_global"]))
        ginis.append(abs(float(row["retrained_gini"]) - expected["retrained_gini_global"]))
        best = best and int(row["best_epoch"]) == expected["best_epoch"]
        if "pruned_loss" in expected:
            losses.append(relative(row["pruned_loss"], expected["pruned_loss"]))
            accuracies.append(abs(float(row["pruned_accuracy"]) - expected["pruned_accuracy"]))
            pqis.append(abs(float(row["pruned_pqi"]) - expected["pruned_pqi_p0.5_q1.0_global"]))
    pqis.append(grid_distance(folder, golden["iterations"]))
    if (folder / "weights.safetensors").exists():
        pqis = [float32_distance(folder, golden["iterations"])]
    return Distance(
        int(max(counts)),
        int(max(layer_counts)),
        mask_share(folder, trace.with_suffix(".npz")),
        max(train),
        max(losses),
        max(accuracies),
        max(pqis),
        max(ginis),
        best,
    )


def relative(ours: str, theirs: float) -> float:
    return abs(float(ours) - theirs) / abs(theirs)


def grid_distance(folder: Path, iterations: list[dict[str, Any]]) -> float:
    grids = load_file(folder / "measures.safetensors")
    distances = [
        abs(grids[f"iteration_{it['iteration']}/retrained/pqi_global"][9, 10] - it["retrained_pqi_p1.0_q2.0_global"])
        for it in iterations
    ]
    return float(max(distances))


def float32_distance(folder: Path, iterations: list[dict[str, Any]]) -> float:
    """Distance of the network's PQ Index (0.5, 1), computed from our weights in the traces' arithmetic."""
    weights = torch_file(folder / "weights.safetensors")
    masks = torch_file(folder / "masks.safetensors")
    names = [row["layer"] for row in by_iteration(folder / "layers.csv", 0)]
    distances = []
    for expected in iterations:
        t = expected["iteration"]
        kept = [weights[f"iteration_{t}/{name}"] * masks[f"iteration_{t}/{name}"] for name in names]
        vector, d = torch.cat([w.flatten() for w in kept]), expected["remaining"]
        mean_p, mean_q = ((torch.linalg.vector_norm(vector, s) ** s / d) ** (1 / s) for s in (0.5, 1.0))
        distances.append(abs(float(1 - mean_p / mean_q) - expected["retrained_pqi_p0.5_q1.0_global"]))
    return max(distances)


def mask_share(folder: Path, packed: Path) -> float | None:
    """Smallest share of equal entries over the masks of all iterations; None without the trace's masks."""
    if not packed.exists():
        return None
    ours = load_file(folder / "masks.safetensors")
    names = [row["layer"] for row in by_iteration(folder / "layers.csv", 0)]
    shares = []
    with np.load(packed) as theirs:
        iterations = sorted({int(key.split("/")[0].rsplit("_", 1)[1]) for key in theirs.files})
        for t in iterations:
            keys = [key for key in theirs.files if key.startswith(f"mask_after_iteration_{t}/")]
            for key, name in zip(keys, names, strict=True):
                mask = ours[f"iteration_{t + 1}/{name}"]
                bits = np.unpackbits(theirs[key])[: mask.size].astype(bool)
                shares.append(float((bits == mask.ravel()).mean()))
    return min(shares)
