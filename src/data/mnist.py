"""MNIST and Fashion-MNIST: four files of the IDX format each."""

import gzip
import logging
import shutil
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from src.data.dataset import Images
from src.data.fetching import ensure_files, fetch_archives

log = logging.getLogger(__name__)

DEBIAN_PACKAGE = Path("/usr/share/datasets/fashion-mnist")
IMAGES_HEADER, LABELS_HEADER = 16, 8

FASHION_MNIST_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""Of the unpacked files, whose content torchvision does not check."""


def read_mnist(root: Path, download: bool) -> Images:
    """28x28 handwritten digits in one channel, 60,000 and 10,000."""
    files = {f"MNIST/raw/{name}": sha256 for name, sha256 in MNIST_SHA256.items()}
    advice = "Connect to the network, or put the published .gz files there"
    ensure_files("mnist", root, files, lambda part: _fetch("MNIST", part, root, download), advice)
    return _read(root / "MNIST" / "raw")


def read_fashion_mnist(root: Path, download: bool) -> Images:
    """28x28 pictures of clothes in one channel, 60,000 and 10,000; from Debian's package where it is installed."""
    files = {f"FashionMNIST/raw/{name}": sha256 for name, sha256 in FASHION_MNIST_SHA256.items()}
    advice = (
        "Connect to the network, or install Debian's package (apt-get install dataset-fashion-mnist), "
        "or put the published .gz files there"
    )

    def fetch(part: Path) -> None:
        if not _unpack_debian_package(part / "FashionMNIST" / "raw", root):
            _fetch("FashionMNIST", part, root, download)

    ensure_files("fashion_mnist", root, files, fetch, advice)
    return _read(root / "FashionMNIST" / "raw")


def _fetch(kind: str, part: Path, root: Path, download: bool) -> None:
    from torchvision import datasets  # takes seconds to import

    source = getattr(datasets, kind)
    archives = {f"{kind}/raw/{name}": md5 for name, md5 in source.resources}
    fetch_archives(part, root, archives, lambda: source(part, download=True), download)


def _unpack_debian_package(folder: Path, root: Path) -> bool:
    """Unpack to `folder`; False where the package is not installed. Its archives differ from the published ones."""
    if not all((DEBIAN_PACKAGE / f"{name}.gz").is_file() for name in FASHION_MNIST_SHA256):
        return False
    folder.mkdir(parents=True)
    for name in FASHION_MNIST_SHA256:
        archive = DEBIAN_PACKAGE / f"{name}.gz"
        try:
            with gzip.open(archive) as packed, (folder / name).open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise OSError(f"{archive} is damaged ({error}), reinstall the package") from error
    log.info("fashion_mnist: unpacked Debian's package %s into %s", DEBIAN_PACKAGE, root)
    return True


def _read(folder: Path) -> Images:
    def images(name: str) -> Tensor:
        pixels = np.fromfile(folder / f"{name}-images-idx3-ubyte", np.uint8, offset=IMAGES_HEADER)
        return torch.from_numpy(pixels).view(-1, 1, 28, 28)

    def labels(name: str) -> Tensor:
        return torch.from_numpy(
            np.fromfile(folder / f"{name}-labels-idx1-ubyte", np.uint8, offset=LABELS_HEADER)
        ).long()

    return Images(images("train"), labels("train"), images("t10k"), labels("t10k"), classes=10)
