"""Multilayer perceptron with two hidden layers."""

import math

from torch import Tensor, nn

from src.models.init import initialise
from src.models.shape import ImageShape

WIDTHS = (128, 256)


class Mlp(nn.Module):
    """Pixels, 128 and 256 hidden units with ReLU, classes."""

    def __init__(self, image_shape: ImageShape, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = math.prod(image_shape)
        for width in WIDTHS:
            layers += [nn.Linear(inputs, width), nn.ReLU()]
            inputs = width
        self.blocks = nn.Sequential(*layers)
        self.linear = nn.Linear(inputs, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, classes] of images [batch, channels, height, width]."""
        logits: Tensor = self.linear(self.blocks(x.flatten(1)))
        return logits
