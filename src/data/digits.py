"""The 1,797 handwritten digits that come with scikit-learn: nothing to download."""

from pathlib import Path

import numpy as np
import torch

from src.data.dataset import Images

TRAINING_IMAGES = 1500


def read_digits(root: Path, download: bool) -> Images:
    """8x8 images, values 0..16 scaled to 0..255; the first 1,500 train, the last 297 test."""
    from sklearn.datasets import load_digits  # takes seconds to import

    digits = load_digits()
    images = torch.from_numpy(np.rint(digits.images * (255 / 16)).astype(np.uint8)).unsqueeze(1)
    labels = torch.from_numpy(digits.target.astype(np.int64))
    n = TRAINING_IMAGES
    return Images(images[:n], labels[:n], images[n:], labels[n:], classes=10)
