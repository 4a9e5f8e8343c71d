"""A data set in memory."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from src.data.traits import Channels


class Images(NamedTuple):
    """All that a source holds: uint8 images [N, C, H, W], int64 labels [N] below `classes`."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: int


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels as in `Images`, on one device, and how they are normalised and augmented.

    `mean` and `std` are per channel, of pixels scaled to [0, 1]; `flip` and `crop` say what augmentation does.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: int
    mean: Channels
    std: Channels
    flip: bool = False
    crop: bool = False

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)"""
        _, channels, height, width = self.train_images.shape
        return channels, height, width

    def to(self, device: torch.device | str) -> "Dataset":
        """The same data set on `device`."""
        return replace(
            self,
            train_images=self.train_images.to(device),
            train_labels=self.train_labels.to(device),
            test_images=self.test_images.to(device),
            test_labels=self.test_labels.to(device),
        )
