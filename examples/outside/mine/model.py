"""A model: a small convolutional network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.config.part import setting
from src.models.model import ImageShape, Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Strided(Model):
    """Two 3x3 convolutions of stride 2, with `width` channels and twice as many; global average pooling, linear."""

    width: int = setting(8, at_least=1)

    def build(self, image_shape: ImageShape, classes: int) -> "nn.Module":
        from torch import nn

        return nn.Sequential(
            nn.Conv2d(image_shape[0], self.width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(self.width, 2 * self.width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(2 * self.width, classes),
        )
