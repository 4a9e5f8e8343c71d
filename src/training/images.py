"""The images of a training: what it learns from, what it is tested on, and what chooses its best epoch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from src.data.batches import normalise
from src.data.dataset import Dataset, validation_split
from src.training.backend import Backend, batches_at_once
from src.training.vectors import padded

LabelledImages = tuple[Tensor, Tensor]
"""Normalised float32 images [n, C, H, W] and their int64 labels [n]."""

SCORING_ORDER = 0x5C02E
"""Sets the order of scoring apart from those of epochs, whose second number is the iteration."""


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """All on one device; `selection` is the very same as `test` where there is no validation split (PROTOCOL A1)."""

    train: Dataset
    test: LabelledImages
    selection: LabelledImages

    @property
    def chosen_by_test(self) -> bool:
        """Whether the test set chooses the best epoch."""
        return self.selection is self.test

    def room(self, batch_size: int, groups: int = 1) -> Tensor:
        """Float32 [groups, images, C, H, W] for as many batches of each group as are best prepared together."""
        images = self.train.train_images
        shape = min(batches_at_once(images.device, groups) * batch_size, len(images)), *images.shape[1:]
        size = math.prod(shape)
        room = images.new_empty(groups, padded(size), dtype=torch.float32)
        return room[:, :size].view(groups, *shape)


def prepare_images(dataset: Dataset, validation_fraction: float | None, device: torch.device) -> TrainingImages:
    """`dataset` on `device`, with `validation_fraction` of its training images held out where that is given."""
    dataset = dataset.to(device)
    test = normalise(dataset.test_images, dataset.mean, dataset.std), dataset.test_labels
    if validation_fraction is None:
        return TrainingImages(dataset, test, test)
    reduced, images, labels = validation_split(dataset, validation_fraction)
    return TrainingImages(reduced, test, (normalise(images, dataset.mean, dataset.std), labels))


@dataclass(frozen=True, eq=False)
class ScoringBatches:
    """All training images, without augmentation, in an order that the seed decides; the same each time through."""

    dataset: Dataset
    batch_size: int
    seed: int
    backend: Backend

    def __iter__(self) -> Iterator[LabelledImages]:
        dataset = self.dataset
        order = np.random.default_rng([self.seed, SCORING_ORDER]).permutation(len(dataset.train_labels))
        for chosen in torch.from_numpy(order).to(dataset.train_labels.device).split(self.batch_size):
            images = normalise(dataset.train_images[chosen], dataset.mean, dataset.std)
            yield self.backend.arrange(images), dataset.train_labels[chosen]
