"""The settings that a training's result depends on, apart from its request."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["fp32", "tf32", "bf16"]
"""Of matrix products and convolutions; bf16 also of activations (autocast). Parameters are float32 in all cases."""


@dataclass(frozen=True)
class TrainingSpec:
    """Dataset, model, trainer and the parts of the protocol that enter a training; hashed into its identity.

    A field with a default here is left out of the hash while it holds that default, so that a setting which is added
    later at its neutral value changes no identity.
    """

    dataset: str
    model: str
    epochs: int
    batch_size: int
    seed: int
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    nesterov: bool = True
    clip_norm: float = 1.0
    clip_after_mask: bool = False
    train_size: int | None = None
    test_size: int | None = None
    shuffle: bool = True
    augment: bool = True
    statistics: Literal["reference", "true"] = "reference"
    validation_fraction: float | None = None
    initial_state: str | None = None
    precision: Precision = "fp32"
