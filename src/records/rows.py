"""Records as rows of tables and as named tensors."""

from typing import Any

import torch
from torch import Tensor

from src.messages import Epoch
from src.pruning.masks import remaining
from src.records.schema import HEADLINE
from src.sparsity import Measures, grid_index
from src.trajectory import Record


def iteration_row(record: Record) -> dict[str, Any]:
    """The row of `iterations.csv`: counts, performance in percent and nats, PQI (0.5, 1.0) and Gini of the network."""
    alive = remaining(record.masks)
    total = sum(mask.numel() for mask in record.masks.values())
    step, measures, best = record.step, record.measures, record.trained.best_metrics
    return {
        "iteration": record.iteration,
        "remaining": alive,
        "total": total,
        "percent_remaining": 100 * alive / total,
        "retrained_accuracy": record.evaluated.test.accuracy,
        "retrained_loss": record.evaluated.test.loss,
        "retrained_pqi": _headline(measures.pqi_global),
        "retrained_gini": float(measures.gini_global),
        "pruned_accuracy": step.performance.accuracy if step else None,
        "pruned_loss": step.performance.loss if step else None,
        "pruned_pqi": _headline(step.measures.pqi_global) if step else None,
        "pruned_gini": float(step.measures.gini_global) if step else None,
        "best_epoch": record.trained.best_epoch,
        "best_accuracy": best.test.accuracy,
        "retained_bound": step.bound if step else None,
        "pruned_count": alive - remaining(step.following.masks) if step else None,
        "retrained_train_accuracy": record.evaluated.train.accuracy,
        "retrained_train_loss": record.evaluated.train.loss,
        "empty_neurons": int((measures.d_neuron == 0).sum()),
        "empty_layers": int((measures.d_layer == 0).sum()),
    }


def layer_rows(record: Record) -> list[dict[str, Any]]:
    """The rows of `layers.csv`, one per prunable tensor in the order of the network."""
    step = record.step
    rows = []
    for index, (name, mask) in enumerate(record.masks.items()):
        alive, total = int(mask.sum()), mask.numel()
        rows.append(
            {
                "iteration": record.iteration,
                "layer": name,
                "remaining": alive,
                "total": total,
                "percent_remaining": 100 * alive / total,
                "retrained_pqi": _headline(record.measures.pqi_layer[index]),
                "retrained_gini": float(record.measures.gini_layer[index]),
                "pruned_pqi": _headline(step.measures.pqi_layer[index]) if step else None,
                "pruned_gini": float(step.measures.gini_layer[index]) if step else None,
                "pruned_count": alive - int(step.following.masks[name].sum()) if step else None,
            }
        )
    return rows


def epoch_rows(record: Record) -> list[dict[str, Any]]:
    """The rows of `epochs.csv`, one per epoch of the iteration's training."""
    return [epoch_row(record.iteration, epoch) for epoch in record.trained.history]


def epoch_row(iteration: int, epoch: Epoch) -> dict[str, Any]:
    """A row of `epochs.csv`."""
    return {
        "iteration": iteration,
        "epoch": epoch.epoch,
        "learning_rate": epoch.learning_rate,
        "train_loss": epoch.train.loss,
        "train_accuracy": epoch.train.accuracy,
        "test_loss": epoch.test.loss,
        "test_accuracy": epoch.test.accuracy,
        "selection_loss": epoch.selection.loss,
        "selection_accuracy": epoch.selection.accuracy,
    }


def measure_tensors(record: Record) -> dict[str, Tensor]:
    """The entries of `measures.safetensors`: the grid of PQI and the Gini index of the two models of an iteration."""
    tensors = _grids(record.measures, "retrained")
    if record.step:
        tensors |= _grids(record.step.measures, "pruned")
    return tensors


def _grids(measures: Measures, model: str) -> dict[str, Tensor]:
    tensors = {
        f"{model}/pqi_global": measures.pqi_global,
        f"{model}/pqi_layer": measures.pqi_layer.to(torch.float32),
        f"{model}/gini_layer": measures.gini_layer,
    }
    if len(measures.pqi_neuron):
        tensors[f"{model}/pqi_neuron"] = measures.pqi_neuron.to(torch.float32)
        tensors[f"{model}/gini_neuron"] = measures.gini_neuron.to(torch.float32)
    return tensors


def _headline(grid: Tensor) -> float:
    return float(grid[grid_index(*HEADLINE)])
