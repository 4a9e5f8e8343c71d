"""Data sets as published: MNIST, Fashion-MNIST, CIFAR-10, CIFAR-100 and SVHN.

`published.json` has the checksums of their files, of the archives that hold them, and where these can be had.
"""

import json
import logging
import pickle
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from src.data.fetching import Archive, ensure_files, fetch_archives, unpack
from src.data.source import Channels, DataSource

if TYPE_CHECKING:
    from torch import Tensor

    from src.data.dataset import Images

log = logging.getLogger(__name__)

RELEASES = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
DEBIAN_PACKAGE = Path("/usr/share/datasets/fashion-mnist")


def release(name: str) -> tuple[dict[str, str], list[Archive]]:
    """Checksums of a data set's files, MD5 or SHA-256, and the archives that hold them."""
    archives = RELEASES[name]["archives"].items()
    return RELEASES[name]["files"], [Archive(path, md5, tuple(urls)) for path, (md5, *urls) in archives]


@dataclass(frozen=True)
class Published(DataSource):
    """Files with known checksums, by path below the root: nothing is decoded that is not as published."""

    checksums: ClassVar[Mapping[str, str]] = {}
    archives: ClassVar[Sequence[Archive]] = ()
    hint: ClassVar[str] = ""

    def files(self, root: Path) -> list[Path]:
        return [root / name for name in self.checksums]

    def read(self, root: Path, download: bool) -> "Images":
        archives = ", ".join(f"{archive.path} (MD5 {archive.md5})" for archive in self.archives)
        advice = f"Connect to the network, {self.hint}or put {archives} into {root}"
        ensure_files(self.kind(), root, self.checksums, lambda part: self.fetch(part, root, download), advice)
        return self.decode(root)

    def fetch(self, part: Path, root: Path, download: bool) -> None:
        """Put the files in `part`, from archives in `root` or the network. Raises OSError where they cannot be had."""
        fetch_archives(part, root, self.archives, download)

    def decode(self, root: Path) -> "Images":
        """The images of the files, which are as published."""
        raise NotImplementedError


@dataclass(frozen=True)
class Mnist(Published):
    """28x28 handwritten digits in one channel, 60,000 and 10,000, in four files of the IDX format."""

    mean, std = (0.1307,), (0.3081,)
    place = "{root}/MNIST/raw"
    content = "8be37d1bfe1d09e7e2529f7560d8df91"
    checksums, archives = release("mnist")

    def decode(self, root: Path) -> "Images":
        import numpy as np
        import torch

        from src.data.dataset import Images

        headers = (16, 8, 16, 8)  # bytes; the sizes they tell are known
        content = [np.fromfile(path, np.uint8, offset=n) for path, n in zip(self.files(root), headers, strict=True)]
        train_images, train_labels, test_images, test_labels = map(torch.from_numpy, content)
        train_images, test_images = (images.view(-1, 1, 28, 28) for images in (train_images, test_images))
        return Images(train_images, train_labels.long(), test_images, test_labels.long(), classes=10)


@dataclass(frozen=True)
class FashionMnist(Mnist):
    """28x28 pictures of clothes in one channel, 60,000 and 10,000; from Debian's package where it is installed."""

    mean, std = (0.2860,), (0.3530,)
    place = "{root}/FashionMNIST/raw"
    content = "3b9c29d3d8153ef8d1e4c8de7efc2b48"
    checksums, archives = release("fashion_mnist")
    hint = "or install Debian's package (apt-get install dataset-fashion-mnist), "

    def fetch(self, part: Path, root: Path, download: bool) -> None:
        """From Debian's package first, whose archives differ from the published ones."""
        packed = {part / name: DEBIAN_PACKAGE / f"{Path(name).name}.gz" for name in self.checksums}
        if not all(path.is_file() for path in packed.values()):
            super().fetch(part, root, download)
            return
        for file, archive in packed.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                unpack(Path(shutil.copyfile(archive, f"{file}.gz")))
            except OSError as error:
                raise OSError(f"{archive} is damaged ({error.__cause__}), reinstall the package") from error
        log.info("%s: unpacked Debian's package %s into %s", self.kind(), DEBIAN_PACKAGE, root)


@dataclass(frozen=True)
class Cifar10(Published):
    """32x32 photographs in three channels, 50,000 and 10,000, in 10 classes."""

    mean, std = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
    true_std: ClassVar[Channels | None] = (0.2470, 0.2435, 0.2616)
    place = "{root}/cifar-10-batches-py"
    content = "772868de9da28b05b9c78d8b79440398"
    checksums, archives = release("cifar10")
    labels: ClassVar[str] = "labels"
    classes: ClassVar[int] = 10

    flip: bool = True
    crop: bool = True

    def decode(self, root: Path) -> "Images":
        from src.data.dataset import Images

        *train, test = self.files(root)
        return Images(*self._batches(train), *self._batches([test]), classes=self.classes)

    def _batches(self, paths: Sequence[Path]) -> tuple["Tensor", "Tensor"]:
        import numpy as np
        import torch

        # pickles, as they are published: only files with the published checksums come here
        batches = [pickle.loads(path.read_bytes(), encoding="latin1") for path in paths]
        images = torch.from_numpy(np.concatenate([batch["data"] for batch in batches])).view(-1, 3, 32, 32)
        return images, torch.tensor([label for batch in batches for label in batch[self.labels]])


@dataclass(frozen=True)
class Cifar100(Cifar10):
    """32x32 photographs in three channels, 50,000 and 10,000, in 100 (fine) classes."""

    mean, std = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)
    true_std: ClassVar[Channels | None] = None
    place = "{root}/cifar-100-python"
    checksums, archives = release("cifar100")
    labels = "fine_labels"
    classes = 100


@dataclass(frozen=True)
class Svhn(Published):
    """32x32 photographs of digits in three channels, 73,257 and 26,032, without the extra set."""

    mean, std = (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970)
    checksums, archives = release("svhn")

    crop: bool = True

    def decode(self, root: Path) -> "Images":
        from src.data.dataset import Images

        train, test = map(_matlab, self.files(root))
        return Images(*train, *test, classes=10)


def _matlab(path: Path) -> tuple["Tensor", "Tensor"]:
    """Images and labels of a file of SVHN, which calls the digit 0 10."""
    import numpy as np
    import torch
    from scipy.io import loadmat

    content = loadmat(path)
    images = np.ascontiguousarray(content["X"].transpose(3, 2, 0, 1))
    return torch.from_numpy(images), torch.from_numpy(content["y"].astype(np.int64).squeeze(1) % 10)
