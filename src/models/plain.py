"""Models without shortcuts: linear, multilayer perceptron and plain convolutional network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.config.part import require, setting
from src.errors import UserError
from src.models.model import ImageShape, Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Linear(Model):
    """Multinomial logistic regression: one linear layer from pixels to classes."""

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        from src.models.networks import Perceptron

        return Perceptron(image_shape, classes, [])


@dataclass(frozen=True)
class Mlp(Model):
    """Multilayer perceptron: pixels, hidden units with ReLU, classes.

    hidden: units of each hidden layer.
    """

    hidden: list[int] = setting([128, 256])

    @property
    def short(self) -> str:
        return _short("mlp", self.hidden if self.changes() else [])

    def check(self, key: str) -> None:
        super().check(key)
        _check_widths(f"{key}.hidden", self.hidden, "[128,256]")

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        from src.models.networks import Perceptron

        return Perceptron(image_shape, classes, self.hidden)


@dataclass(frozen=True)
class Cnn(Model):
    """3x3 convolutions with BatchNorm and ReLU, max-pooling between them, global average pooling, linear.

    widths: channels of each convolution.
    """

    widths: list[int] = setting([64, 128, 256, 512])

    @property
    def short(self) -> str:
        return _short("cnn", self.widths if self.changes() else [])

    def check(self, key: str) -> None:
        super().check(key)
        _check_widths(f"{key}.widths", self.widths, "[64,128,256,512]")

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        from src.models.networks import ConvNet

        halvings = len(self.widths) - 1
        smallest = 2**halvings
        if min(image_shape[1:]) < smallest:
            raise UserError(
                f"model={self.short} halves the image {halvings} times and needs {smallest}x{smallest} pixels or more, "
                f"these images have {image_shape[1]}x{image_shape[2]}; use model=mlp, or fewer model.widths"
            )
        return ConvNet(image_shape, classes, self.widths)


def _short(kind: str, widths: Sequence[int]) -> str:
    return "-".join([kind, *map(str, widths)])


def _check_widths(key: str, widths: Sequence[int], example: str) -> None:
    listed = f"[{','.join(map(str, widths))}]"
    allowed = "a list of one width or more, each at least 1"
    require(bool(widths) and min(widths) >= 1, key, listed, allowed, f"{key}={example}")
