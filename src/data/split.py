"""Images held out of training."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from src.data.dataset import Dataset
from src.errors import UserError


def validation_split(dataset: Dataset, fraction: float, seed: int = 0) -> tuple[Dataset, Tensor, Tensor]:
    """The data set with fewer training images, and the images and labels held out, both in their former order.

    round(fraction * N) images chosen at random are held out, at least one; the choice depends on N and `seed` only.

    Raises:
        UserError: a fraction outside (0, 1), or one that leaves nothing to train on.
    """
    n = len(dataset.train_labels)
    held_out = max(round(fraction * n), 1) if 0 < fraction < 1 else n
    if held_out >= n:
        raise UserError(
            f"a validation fraction of {fraction} of {n} training images is not possible: "
            "choose one above 0 and below 1 that leaves images to train on, such as 0.1"
        )
    shuffled = np.random.default_rng(seed).permutation(n)
    kept, chosen = (
        torch.from_numpy(np.sort(part)).to(dataset.train_images.device)
        for part in (shuffled[held_out:], shuffled[:held_out])
    )
    reduced = replace(dataset, train_images=dataset.train_images[kept], train_labels=dataset.train_labels[kept])
    return reduced, dataset.train_images[chosen], dataset.train_labels[chosen]
