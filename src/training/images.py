"""The images of a training: what it learns from, what it is tested on, and what chooses its best epoch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from src.data import Dataset, normalise, validation_split

LabelledImages = tuple[Tensor, Tensor]
"""Normalised float32 images [n, C, H, W] and their int64 labels [n]."""


@dataclass(frozen=True, eq=False)
class Images:
    """All on one device; `selection` is the very same as `test` where there is no validation split (PROTOCOL A1)."""

    train: Dataset
    test: LabelledImages
    selection: LabelledImages

    @property
    def chosen_by_test(self) -> bool:
        """Whether the test set chooses the best epoch."""
        return self.selection is self.test


def prepare_images(dataset: Dataset, validation_fraction: float | None, device: torch.device) -> Images:
    """`dataset` on `device`, with `validation_fraction` of its training images held out where that is given."""
    dataset = dataset.to(device)
    test = normalise(dataset.test_images, dataset.mean, dataset.std), dataset.test_labels
    if validation_fraction is None:
        return Images(dataset, test, test)
    reduced, images, labels = validation_split(dataset, validation_fraction)
    return Images(reduced, test, (normalise(images, dataset.mean, dataset.std), labels))
