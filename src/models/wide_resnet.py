"""Wide residual networks."""

import math

from src.models.preactivation import PreActivationNet
from src.models.shape import ImageShape

STEM = 16
DEPTH = 28


def wide_resnet(image_shape: ImageShape, classes: int, factor: int) -> PreActivationNet:
    """WRN-28-`factor`, with as many stages as bring the image down to about 8 pixels a side.

    28 and 32 pixels give the standard three stages of four blocks; 64 pixels give four stages of only two, as in the
    authors' code (PROTOCOL A17); 8 pixels and less one stage of thirteen.
    """
    stages = max(round(math.log2(image_shape[1])) - 3, 0) + 1
    blocks = int(((DEPTH - 1) / stages - 1) / 2)
    widths = [STEM * factor * 2**stage for stage in range(stages)]
    return PreActivationNet(image_shape, classes, STEM, widths, [blocks] * stages)
