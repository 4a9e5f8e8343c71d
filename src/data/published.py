"""Data sets as their authors published them, and of these CIFAR-10, CIFAR-100 and SVHN."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from src.data.fetching import Archive, ensure_files, fetch_archives
from src.data.source import Channels, DataSource

if TYPE_CHECKING:
    from torch import Tensor

    from src.data.dataset import Images


@dataclass(frozen=True)
class Published(DataSource):
    """Files with known checksums: MD5 or SHA-256 by path below the root, and the archives that hold them."""

    checksums: ClassVar[Mapping[str, str]] = {}
    archives: ClassVar[Sequence[Archive]] = ()
    advice: ClassVar[str] = "Connect to the network, or put the published .gz files there"

    def files(self, root: Path) -> list[Path]:
        return [root / name for name in self.checksums]

    def read(self, root: Path, download: bool) -> "Images":
        ensure_files(
            self.kind(),
            root,
            self.checksums,
            lambda part: self.fetch(part, root, download),
            self.advice.format(root=root),
        )
        return self.decode(root)

    def fetch(self, part: Path, root: Path, download: bool) -> None:
        """Put the files in `part`, from archives in `root` or the network. Raises OSError where they cannot be had."""
        fetch_archives(part, root, self.archives, download)

    def decode(self, root: Path) -> "Images":
        """The images of the files, which are as published."""
        raise NotImplementedError


@dataclass(frozen=True)
class Cifar10(Published):
    """32x32 photographs in three channels, 50,000 and 10,000, in 10 classes."""

    mean, std = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
    true_std: ClassVar[Channels | None] = (0.2470, 0.2435, 0.2616)
    place = "{root}/cifar-10-batches-py"
    content = "772868de9da28b05b9c78d8b79440398"
    checksums: ClassVar[Mapping[str, str]] = {
        "cifar-10-batches-py/data_batch_1": "c99cafc152244af753f735de768cd75f",
        "cifar-10-batches-py/data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "cifar-10-batches-py/data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "cifar-10-batches-py/data_batch_4": "634d18415352ddfa80567beed471001a",
        "cifar-10-batches-py/data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "cifar-10-batches-py/test_batch": "40351d587109b95175f43aff81a1287e",
    }
    archives = (
        Archive(
            "cifar-10-python.tar.gz",
            "c58f30108f718f92721af3b95e74349a",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
        ),
    )
    advice = "Connect to the network, or put cifar-10-python.tar.gz (MD5 c58f30108f718f92721af3b95e74349a) into {root}"
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
    checksums: ClassVar[Mapping[str, str]] = {
        "cifar-100-python/train": "16019d7e3df5f24257cddd939b257f8d",
        "cifar-100-python/test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    }
    archives = (
        Archive(
            "cifar-100-python.tar.gz",
            "eb9058c3a382ffc7106e4002c42a8d85",
            ("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",),
        ),
    )
    advice = "Connect to the network, or put cifar-100-python.tar.gz (MD5 eb9058c3a382ffc7106e4002c42a8d85) into {root}"
    labels = "fine_labels"
    classes = 100


@dataclass(frozen=True)
class Svhn(Published):
    """32x32 photographs of digits in three channels, 73,257 and 26,032, without the extra set."""

    mean, std = (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970)
    checksums: ClassVar[Mapping[str, str]] = {
        "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
        "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
    }
    archives = tuple(
        Archive(name, md5, (f"http://ufldl.stanford.edu/housenumbers/{name}",)) for name, md5 in checksums.items()
    )
    advice = "Connect to the network, or put train_32x32.mat and test_32x32.mat into {root}"

    crop: bool = True

    def decode(self, root: Path) -> "Images":
        from src.data.dataset import Images

        train, test = self.files(root)
        return Images(*_matlab(train), *_matlab(test), classes=10)


def _matlab(path: Path) -> tuple["Tensor", "Tensor"]:
    """Images and labels of a file of SVHN, which calls the digit 0 10."""
    import numpy as np
    import torch
    from scipy.io import loadmat

    content = loadmat(path)
    images = np.ascontiguousarray(content["X"].transpose(3, 2, 0, 1))
    return torch.from_numpy(images), torch.from_numpy(content["y"].astype(np.int64).squeeze(1) % 10)
