"""A data set in memory."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from src.config.code import LENGTH
from src.data.source import Channels
from src.errors import UserError


@dataclass(frozen=True, eq=False)
class Images:
    """All that a source holds: uint8 images [N, C, H, W], int64 labels [N] below `classes`."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: int

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Images and labels by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}

    @cached_property
    def digest(self) -> str:
        """Digest of shapes, types and bytes of images and labels, and of the number of classes."""
        content = hashlib.sha256(str(self.classes).encode())
        for name, tensor in self.tensors.items():
            content.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            content.update(tensor.contiguous().numpy().data)
        return content.hexdigest()[:LENGTH]

    def fault(self) -> str | None:
        """What is wrong with types, shapes or labels; None where nothing is."""
        train, test = (self.train_images, self.train_labels), (self.test_images, self.test_labels)
        for split, (images, labels) in (("training", train), ("test", test)):
            found = f"{images.dtype} and shape {tuple(images.shape)}"
            if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1:] != self.train_images.shape[1:]:
                return f"{split} images of {found}, not uint8 [N, C, H, W] of one shape"
            if labels.dtype != torch.int64 or labels.shape != images.shape[:1] or not len(labels):
                return f"{split} labels of {labels.dtype} and shape {tuple(labels.shape)}, not int64 [{len(images)}]"
            if labels.min() < 0 or labels.max() >= self.classes:
                return f"{split} labels {int(labels.min())} to {int(labels.max())}, not 0 to {self.classes - 1}"
        return None

    def channel_statistics(self) -> tuple[Channels, Channels]:
        """Mean and standard deviation per channel of the training images' pixels scaled to [0, 1]; never zero."""
        values = torch.arange(256, dtype=torch.float64) / 255
        mean, std = [], []
        for channel in self.train_images.unbind(1):
            share = torch.bincount(channel.flatten(), minlength=256).double() / channel.numel()
            mean.append(float(share @ values))
            std.append(float(share @ (values - mean[-1]).square()) ** 0.5 or 1.0)
        return tuple(mean), tuple(std)


@dataclass(frozen=True, eq=False)
class Dataset(Images):
    """The images that a run takes, on one device, and how they are normalised and augmented.

    `mean` and `std` are per channel, of pixels scaled to [0, 1]; `flip` and `crop` say what augmentation does.
    """

    name: str
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
        moved: dict[str, Any] = {name: tensor.to(device) for name, tensor in self.tensors.items()}
        return replace(self, **moved)


def validation_split(dataset: Dataset, fraction: float, seed: int = 0) -> tuple[Dataset, Tensor, Tensor]:
    """The data set with fewer training images, and the images and labels held out, both in their former order.

    round(fraction * N) images chosen at random are held out, at least one; the choice depends on N and `seed` only.
    Raises UserError for a fraction outside (0, 1), or one that leaves nothing to train on.
    """
    n = len(dataset.train_labels)
    held_out = max(round(fraction * n), 1) if 0 < fraction < 1 else n
    if held_out >= n:
        raise UserError(
            f"a validation fraction of {fraction} of {n} training images is not possible: "
            "choose one above 0 and below 1 that leaves images to train on, such as 0.1"
        )
    images, labels = dataset.train_images, dataset.train_labels
    shuffled = np.random.default_rng(seed).permutation(n)
    halves = np.split(shuffled, [held_out])
    chosen, kept = (torch.from_numpy(np.sort(part)).to(images.device) for part in halves)
    return replace(dataset, train_images=images[kept], train_labels=labels[kept]), images[chosen], labels[chosen]
