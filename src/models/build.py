"""Models by name."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from src.errors import UserError
from src.models.cnn import Cnn
from src.models.linear import Linear
from src.models.mlp import Mlp
from src.models.resnet import resnet
from src.models.resnet50 import resnet50
from src.models.shape import ImageShape
from src.models.wide_resnet import wide_resnet

MODELS: dict[str, Callable[[ImageShape, int], nn.Module]] = {
    "linear": Linear,
    "mlp": Mlp,
    "cnn": Cnn,
    "resnet9": partial(resnet, depth=1),
    "resnet18": partial(resnet, depth=2),
    "resnet50": resnet50,
    "wresnet28x2": partial(wide_resnet, factor=2),
    "wresnet28x8": partial(wide_resnet, factor=8),
}
"""Builders of initialised models from an image's shape and the number of classes."""


def build_model(name: str, image_shape: ImageShape, classes: int, seed: int) -> nn.Module:
    """The model `name` on the CPU; its initial state depends on the arguments only, not on the global generator.

    Raises:
        UserError: an unknown name, or images that the model cannot take.
    """
    if name not in MODELS:
        raise UserError(f"model={name} is not known; allowed are {', '.join(MODELS)}")
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        return MODELS[name](image_shape, classes)
