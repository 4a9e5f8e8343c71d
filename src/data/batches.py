"""Batches of one epoch, in an order and with an augmentation that seed, iteration and epoch decide."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from src.data.augmentation import apply, draw
from src.data.dataset import Dataset
from src.data.normalisation import normalise


def epoch_generator(seed: int, iteration: int, epoch: int) -> np.random.Generator:
    """Random numbers of one epoch.

    No global state enters: an interrupted training goes on exactly as it would have, and all methods of a seed see the
    same batches.
    """
    return np.random.default_rng([seed, iteration, epoch])


def epoch_order(n: int, shuffle: bool, generator: np.random.Generator) -> Tensor:
    """Indices of the training images in the order of this epoch, int64 [n] on the CPU."""
    return torch.from_numpy(generator.permutation(n)) if shuffle else torch.arange(n)


def training_batches(
    dataset: Dataset,
    batch_size: int,
    generator: np.random.Generator,
    shuffle: bool,
    augment: bool,
    at_once: int = 1,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Normalised float32 images and their labels, on the data set's device; a last incomplete batch is kept.

    Order and augmentation of the whole epoch are drawn first, so that nothing waits for the host between batches.
    `at_once` batches are gathered, augmented and normalised together, which changes no bit of them.
    """
    images, labels = dataset.train_images, dataset.train_labels
    n, device = len(labels), images.device
    order = epoch_order(n, shuffle, generator).to(device)
    draws = draw(n, generator, augment and dataset.flip, augment and dataset.crop).to(device)
    for start in range(0, n, at_once * batch_size):
        part = slice(start, start + at_once * batch_size)
        chosen = order[part]
        x = normalise(apply(images.index_select(0, chosen), draws[part]), dataset.mean, dataset.std)
        yield from zip(x.split(batch_size), labels.index_select(0, chosen).split(batch_size), strict=True)
