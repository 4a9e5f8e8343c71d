"""Street View House Numbers."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from src.data.dataset import Images
from src.data.fetching import ensure_files, fetch_archives


def read_svhn(root: Path, download: bool) -> Images:
    """32x32 photographs of digits in three channels, 73,257 and 26,032, without the extra set."""
    from torchvision.datasets import SVHN  # takes seconds to import

    files = {file: md5 for _, file, md5 in (SVHN.split_list[split] for split in ("train", "test"))}
    advice = f"Connect to the network, or put {' and '.join(files)} into {root}"

    def fetch(part: Path) -> None:
        fetch_archives(
            part, root, files, lambda: [SVHN(part, split, download=True) for split in ("train", "test")], download
        )

    def tensors(split: str) -> tuple[Tensor, Tensor]:
        images = SVHN(root, split)
        return torch.from_numpy(np.ascontiguousarray(images.data)), torch.from_numpy(images.labels)

    ensure_files("svhn", root, files, fetch, advice)
    return Images(*tensors("train"), *tensors("test"), classes=10)
