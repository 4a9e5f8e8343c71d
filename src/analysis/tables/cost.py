"""What a network costs: floating point operations of one image, and bytes on disk."""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from src.models.model import Model
from src.records.run import FloatArray

IMAGES = {
    "fashion_mnist": ((1, 28, 28), 10), "mnist": ((1, 28, 28), 10), "cifar10": ((3, 32, 32), 10),
    "cifar100": ((3, 32, 32), 100), "svhn": ((3, 32, 32), 10), "tiny_imagenet": ((3, 64, 64), 200),
    "digits": ((1, 8, 8), 10),
}  # fmt: skip
"""Shape of an image and number of classes (PROTOCOL 3.2)."""
VALUE, INDEX = 4, 4
"""Bytes of a weight, and of its place where it is stored by place."""


@dataclass(frozen=True)
class Network:
    """Prunable tensors in registration order: sizes [L], and how often each weight is used for one image [L].

    others: number of values that are not pruned, of biases, BatchNorm and its running statistics.
    """

    sizes: FloatArray
    uses: FloatArray
    others: int

    def flops(self, alive: FloatArray) -> float:
        """A multiplication and an addition for each use of each weight alive [L]; other operations are left out."""
        return float(2 * (alive * self.uses).sum())

    def size_bytes(self, alive: FloatArray) -> float:
        """float32 values, each tensor in the smallest of three forms: dense, values and a bitmap, values and places."""
        forms = [VALUE * self.sizes, VALUE * alive + np.ceil(self.sizes / 8), (VALUE + INDEX) * alive]
        return float(np.min(forms, axis=0).sum() + VALUE * self.others)


@cache
def network(dataset: str, model: str, sizes: tuple[int, ...]) -> Network | None:
    """The network of a record, whose prunable tensors have these sizes; None where it is not one of ours."""
    from src.models.shipped import MODELS

    if dataset not in IMAGES or model not in MODELS:
        return None
    count = _counted if model in ("linear", "mlp") else _measured
    made = count(MODELS[model], *IMAGES[dataset])
    return made if tuple(made.sizes.astype(int)) == sizes else None


def _counted(model: Model, shape: tuple[int, int, int], classes: int) -> Network:
    """As `_measured`, of linear layers alone, without PyTorch: importing it is a fourth of a report of 300 runs."""
    widths = [math.prod(shape), *getattr(model, "hidden", ()), classes]
    sizes = np.array([a * b for a, b in pairwise(widths)], np.float64)
    return Network(sizes, np.ones_like(sizes), sum(widths[1:]))


def _measured(model: Model, shape: tuple[int, int, int], classes: int) -> Network:
    """Build the model and send one blank image through it."""
    import torch

    from src.library.masks import Masks
    from src.models.model import build_model, prunable_names

    built = build_model(model, shape, classes, seed=0).eval()
    names, state = prunable_names(built), built.state_dict()
    uses = Masks({name: state[name] != 0 for name in names}).uses(built, torch.zeros(1, *shape))
    others = sum(v.numel() for key, v in state.items() if key not in names and v.is_floating_point())
    sizes = np.array([state[name].numel() for name in names], np.float64)
    return Network(sizes, np.array([float(times.double().mean()) for times in uses.values()]), others)
