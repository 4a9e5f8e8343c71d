"""MNIST and Fashion-MNIST: four files of the IDX format each."""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src.data.fetching import Archive, unpack
from src.data.published import Published

if TYPE_CHECKING:
    from torch import Tensor

    from src.data.dataset import Images

log = logging.getLogger(__name__)

DEBIAN_PACKAGE = Path("/usr/share/datasets/fashion-mnist")


IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""Names of the files; those of images have a header of 16 bytes, those of labels of 8."""


def _files(
    folder: str, mirrors: tuple[str, ...], sha256: tuple[str, ...], md5: tuple[str, ...]
) -> tuple[dict[str, str], list[Archive]]:
    """SHA-256 of the four files, and the archives with their MD5."""
    archives = [
        Archive(f"{folder}/{name}.gz", value, tuple(f"{mirror}/{name}.gz" for mirror in mirrors))
        for name, value in zip(IDX, md5, strict=True)
    ]
    return {f"{folder}/{name}": value for name, value in zip(IDX, sha256, strict=True)}, archives


@dataclass(frozen=True)
class Mnist(Published):
    """28x28 handwritten digits in one channel, 60,000 and 10,000."""

    mean, std = (0.1307,), (0.3081,)
    place = "{root}/MNIST/raw"
    content = "8be37d1bfe1d09e7e2529f7560d8df91"
    checksums, archives = _files(
        "MNIST/raw",
        ("https://ossci-datasets.s3.amazonaws.com/mnist", "http://yann.lecun.com/exdb/mnist"),
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        (
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    )

    def decode(self, root: Path) -> "Images":
        from src.data.dataset import Images

        train_images, train_labels, test_images, test_labels = map(_content, self.files(root))
        return Images(
            train_images.view(-1, 1, 28, 28),
            train_labels.long(),
            test_images.view(-1, 1, 28, 28),
            test_labels.long(),
            classes=10,
        )


@dataclass(frozen=True)
class FashionMnist(Mnist):
    """28x28 pictures of clothes in one channel, 60,000 and 10,000; from Debian's package where it is installed."""

    mean, std = (0.2860,), (0.3530,)
    place = "{root}/FashionMNIST/raw"
    content = "3b9c29d3d8153ef8d1e4c8de7efc2b48"
    checksums, archives = _files(
        "FashionMNIST/raw",
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",),
        (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    )
    advice = (
        "Connect to the network, or install Debian's package (apt-get install dataset-fashion-mnist), "
        "or put the published .gz files there"
    )

    def fetch(self, part: Path, root: Path, download: bool) -> None:
        """From Debian's package first, whose archives differ from the published ones."""
        packed = {part / name: DEBIAN_PACKAGE / f"{Path(name).name}.gz" for name in self.checksums}
        if not all(path.is_file() for path in packed.values()):
            super().fetch(part, root, download)
            return
        for file, archive in packed.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            copy = Path(shutil.copyfile(archive, f"{file}.gz"))
            try:
                unpack(copy)
            except OSError as error:
                raise OSError(f"{archive} is damaged ({error.__cause__}), reinstall the package") from error
        log.info("%s: unpacked Debian's package %s into %s", self.kind(), DEBIAN_PACKAGE, root)


def _content(path: Path) -> "Tensor":
    """Bytes of a file after its header, uint8 [n]."""
    import numpy as np
    import torch

    return torch.from_numpy(np.fromfile(path, np.uint8, offset=16 if "images" in path.name else 8))
