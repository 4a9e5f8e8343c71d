"""ResNet-9 and ResNet-18 for small images, with pre-activation."""

from src.models.preactivation import PreActivationNet
from src.models.shape import ImageShape

WIDTHS = (64, 128, 256, 512)


def resnet(image_shape: ImageShape, classes: int, depth: int) -> PreActivationNet:
    """Four stages of `depth` blocks each: 1 for ResNet-9, 2 for ResNet-18."""
    return PreActivationNet(image_shape, classes, WIDTHS[0], WIDTHS, [depth] * len(WIDTHS))
