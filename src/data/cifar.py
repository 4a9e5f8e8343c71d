"""CIFAR-10 and CIFAR-100."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.data.dataset import Images
from src.data.fetching import ensure_files, fetch_archives


def read_cifar10(root: Path, download: bool) -> Images:
    """32x32 photographs in three channels, 50,000 and 10,000, in 10 classes."""
    return _read("cifar10", root, download)


def read_cifar100(root: Path, download: bool) -> Images:
    """32x32 photographs in three channels, 50,000 and 10,000, in 100 (fine) classes."""
    return _read("cifar100", root, download)


def _read(name: str, root: Path, download: bool) -> Images:
    from torchvision import datasets  # takes seconds to import

    source = getattr(datasets, name.upper())
    listed = [*source.train_list, *source.test_list, (source.meta["filename"], source.meta["md5"])]
    files = {f"{source.base_folder}/{file}": md5 for file, md5 in listed}
    advice = f"Connect to the network, or put {source.filename} (MD5 {source.tgz_md5}) into {root}"

    def fetch(part: Path) -> None:
        archive = {source.filename: source.tgz_md5}
        fetch_archives(part, root, archive, partial(source, part, download=True), download)

    ensure_files(name, root, files, fetch, advice)
    (train_images, train_labels), (test_images, test_labels) = (
        _tensors(source(root, train)) for train in (True, False)
    )
    return Images(train_images, train_labels, test_images, test_labels, classes=100 if name == "cifar100" else 10)


def _tensors(split: Any) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(split.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(split.targets)
