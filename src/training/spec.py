"""The settings that a training's result depends on, apart from its request. Imports no PyTorch."""

from dataclasses import dataclass, field

from src.training.optimizers import Optimizer, Sgd
from src.training.schedules import Cosine, Schedule

ENGINE_VERSION = 2
"""Raised when the engines' numbers change: it is part of a training's identity."""

Precision = str
"""Of matrix products and convolutions; bf16 also of activations (autocast). Parameters are float32 in all cases."""


@dataclass(frozen=True)
class TrainingSpec:
    """Trainer, seed, and the parts of the protocol that enter a training; hashed into its identity.

    `data` and `model` are digests, and enter nothing but the identity: an engine is given the images and the network.
    """

    seed: int
    epochs: int
    batch_size: int = 250
    lr: float = 0.1
    clip_norm: float = 1.0
    optimizer: Optimizer = field(default_factory=Sgd)
    schedule: Schedule = field(default_factory=Cosine)
    precision: Precision = "fp32"
    clip_after_mask: bool = False
    validation_fraction: float | None = None
    shuffle: bool = True
    augment: bool = True
    data: str = ""
    model: str = ""

    def learning_rate(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0 (PROTOCOL 3.1)."""
        return float(self.lr * self.schedule.factor(epoch, self.epochs))
