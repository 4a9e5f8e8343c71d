"""A training between two epochs: all that it takes to go on from there, bit for bit on the CPU."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from src.requests import Epoch


@dataclass
class Snapshot:
    """Parameters [parameters] and buffers of a model at one moment."""

    parameters: Tensor
    buffers: dict[str, Tensor]


@dataclass
class TrainingState:
    """State after `len(history)` epochs; `best` is the snapshot of `best_epoch`, the first with `best_correct`."""

    current: Snapshot
    velocity: Tensor
    best: Snapshot
    best_epoch: int = -1
    best_correct: int = -1
    history: list[Epoch] = field(default_factory=list)

    @classmethod
    def begin(cls, parameters: Tensor, buffers: Mapping[str, Tensor]) -> "TrainingState":
        """Before the first epoch: masked initial parameters [parameters], no velocity."""
        start = Snapshot(parameters, dict(buffers))
        return cls(start, torch.zeros_like(parameters), start)
