"""Data sets by name."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from src.data.cifar import read_cifar10, read_cifar100
from src.data.dataset import Dataset, Images
from src.data.digits import read_digits
from src.data.mnist import read_fashion_mnist, read_mnist
from src.data.svhn import read_svhn
from src.data.tiny_imagenet import read_tiny_imagenet
from src.data.traits import TRAITS, Statistics
from src.errors import UserError

DATASETS: dict[str, Callable[[Path, bool], Images]] = {
    "fashion_mnist": read_fashion_mnist,
    "cifar10": read_cifar10,
    "cifar100": read_cifar100,
    "tiny_imagenet": read_tiny_imagenet,
    "mnist": read_mnist,
    "svhn": read_svhn,
    "digits": read_digits,
}
"""Readers: from the root of the data sets, and whether to download what is missing, to all images."""


def load_dataset(
    name: str,
    root: Path | str,
    train_size: int | None = None,
    test_size: int | None = None,
    *,
    download: bool = True,
    statistics: Statistics = "reference",
) -> Dataset:
    """The data set `name` from below `root`, on the CPU; the first images only where sizes are given.

    The tensors are shared between calls of one process: they must not be written to.

    Raises:
        UserError: an unknown name, a size out of range, or files that are damaged or cannot be had.
    """
    if name not in DATASETS:
        raise UserError(f"dataset={name} is not known; allowed are {', '.join(DATASETS)}")
    images = _read(name, Path(root).expanduser().absolute(), download)
    train = _size("train", train_size, len(images.train_labels), name)
    test = _size("test", test_size, len(images.test_labels), name)
    traits = TRAITS[name]
    mean, std = traits.statistics(statistics)
    return Dataset(
        name,
        images.train_images[:train],
        images.train_labels[:train],
        images.test_images[:test],
        images.test_labels[:test],
        images.classes,
        mean,
        std,
        traits.flip,
        traits.crop,
    )


@lru_cache(maxsize=2)
def _read(name: str, root: Path, download: bool) -> Images:
    return DATASETS[name](root, download)


def _size(split: str, size: int | None, available: int, name: str) -> int:
    if size is not None and not 1 <= size <= available:
        raise UserError(
            f"dataset.{split}_size={size} is not possible: {name} has {available} {split} images; "
            f"choose 1 to {available}, or null for all"
        )
    return available if size is None else size
