"""Residual networks with pre-activation, for small images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.config.part import setting
from src.errors import UserError
from src.models.model import ImageShape, Model

if TYPE_CHECKING:
    from torch import nn

WIDE_STEM = 16


@dataclass(frozen=True)
class Resnet(Model):
    """Four stages of `depth` blocks each, 1 for ResNet-9 and 2 for ResNet-18; `width` channels that double by stage.

    depth: blocks of a stage; width: channels of the first stage.
    """

    depth: int = setting(2, at_least=1)
    width: int = setting(64, at_least=1)

    @property
    def short(self) -> str:
        layers = 9 if self.depth == 1 else 8 * self.depth + 2
        return f"resnet{layers}" + (f"-w{self.width}" if self.width != 64 else "")

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        from src.models.preactivation import PreActivationNet

        widths = [self.width * 2**stage for stage in range(4)]
        return PreActivationNet(image_shape, classes, self.width, widths, [self.depth] * 4)


@dataclass(frozen=True)
class WideResnet(Model):
    """WRN-`depth`-`factor`, with as many stages as bring the image down to about 8 pixels a side.

    28 and 32 pixels give the standard three stages, of four blocks for depth 28; 64 pixels give four stages of only
    two, as in the authors' code (PROTOCOL A17); 8 pixels and less one stage of thirteen.

    depth: layers; factor: how many times wider than a plain network.
    """

    depth: int = setting(28, at_least=4)
    factor: int = setting(8, at_least=1)

    @property
    def short(self) -> str:
        return f"wresnet{self.depth}x{self.factor}"

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        from src.models.preactivation import PreActivationNet

        stages = max(round(math.log2(image_shape[1])) - 3, 0) + 1
        blocks = int(((self.depth - 1) / stages - 1) / 2)
        if blocks < 1:
            raise UserError(
                f"model.depth={self.depth} leaves no block for a stage: images of {image_shape[1]}x{image_shape[2]} "
                f"pixels have {stages} stages and need model.depth={3 * stages + 1} or more"
            )
        widths = [WIDE_STEM * self.factor * 2**stage for stage in range(stages)]
        return PreActivationNet(image_shape, classes, WIDE_STEM, widths, [blocks] * stages)
