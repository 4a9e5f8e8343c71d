"""Multinomial logistic regression."""

import math

from torch import Tensor, nn

from src.models.init import initialise
from src.models.shape import ImageShape


class Linear(nn.Module):
    """One linear layer from pixels to classes."""

    def __init__(self, image_shape: ImageShape, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(math.prod(image_shape), classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, classes] of images [batch, channels, height, width]."""
        logits: Tensor = self.linear(x.flatten(1))
        return logits
