"""Batches of one epoch: their order and augmentation, which seed, iteration and epoch decide, and normalisation.

Random horizontal flips and crops are drawn on the host and applied where the images are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from src.data.dataset import Dataset
from src.data.source import Channels

PADDING = 4


def epoch_generator(seed: int, iteration: int, epoch: int) -> np.random.Generator:
    """Random numbers of one epoch, the same for all methods of a seed and after an interruption."""
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
    room: Tensor | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Normalised float32 images and their labels, on the data set's device; a last incomplete batch is kept.

    Order and augmentation of the whole epoch are drawn first, so that nothing waits for the host between batches. With
    `room`, float32 [batches * batch_size, C, H, W], so many batches are prepared together, and lie in it until the next
    ones are: which changes no bit of them, and takes no new memory.
    """
    images, labels = dataset.train_images, dataset.train_labels
    n, device = len(labels), images.device
    order = epoch_order(n, shuffle, generator).to(device)
    draws = draw(n, generator, augment and dataset.flip, augment and dataset.crop).to(device)
    size = batch_size if room is None else len(room)
    for start in range(0, n, size):
        chosen = order[start : start + size]
        pixels = apply(images.index_select(0, chosen), draws[start : start + size])
        x = normalise(pixels, dataset.mean, dataset.std, None if room is None else room[: len(chosen)])
        yield from zip(x.split(batch_size), labels.index_select(0, chosen).split(batch_size), strict=True)


def normalise(images: Tensor, mean: Channels, std: Channels, out: Tensor | None = None) -> Tensor:
    """(x / 255 - mean) / std of uint8 images [..., C, H, W]: bitwise what torchvision's ToTensor and Normalize give."""
    scale, offset, width = _constants(mean, std, images.device)
    x = images.to(torch.float32) if out is None else out.copy_(images)
    return x.div_(scale).sub_(offset).div_(width)


@lru_cache(maxsize=16)
def _constants(mean: Channels, std: Channels, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    # 255 as a tensor: CUDA divides by a Python number through its reciprocal, one bit off
    return (
        torch.tensor(255.0, device=device),
        torch.tensor(mean, dtype=torch.float32, device=device).view(-1, 1, 1),
        torch.tensor(std, dtype=torch.float32, device=device).view(-1, 1, 1),
    )


@dataclass(frozen=True, eq=False)
class Draws:
    """What happens to each of n images: flipped or not (bool [n]), and the crop's offsets 0..8 (int64 [n] each).

    None where the images are not flipped, or not cropped, at all.
    """

    flip: Tensor | None
    dy: Tensor | None
    dx: Tensor | None

    def __getitem__(self, part: slice) -> "Draws":
        """The draws of some of the images."""
        return Draws(*(None if t is None else t[part] for t in (self.flip, self.dy, self.dx)))

    def to(self, device: torch.device | str) -> "Draws":
        """The same draws on `device`."""
        return Draws(*(None if t is None else t.to(device) for t in (self.flip, self.dy, self.dx)))


def draw(n: int, generator: np.random.Generator, flip: bool, crop: bool) -> Draws:
    """Draws for n images: flips with probability 1/2 and offsets uniform over 9x9, all independent; on the CPU."""
    flips = torch.from_numpy(generator.random(n) < 0.5) if flip else None
    if not crop:
        return Draws(flips, None, None)
    dy, dx = torch.from_numpy(generator.integers(0, 2 * PADDING + 1, size=(2, n)))
    return Draws(flips, dy, dx)


def apply(images: Tensor, draws: Draws) -> Tensor:
    """Images [n, C, H, W] flipped first, then padded by reflection with 4 pixels a side and cropped to H x W.

    All on the images' device, in one gather: output pixels are looked up where flip, padding and crop take them from.
    """
    if draws.flip is None and draws.dy is None:
        return images
    n, channels, height, width = images.shape
    rows = _reflected(height, draws.dy, images.device).expand(n, height)
    columns = _reflected(width, draws.dx, images.device).expand(n, width)
    if draws.flip is not None:
        columns = torch.where(draws.flip[:, None], width - 1 - columns, columns)
    pixels = rows[:, :, None] * width + columns[:, None, :]
    pixels = pixels.view(n, 1, height * width).expand(n, channels, height * width)
    return images.reshape(n, channels, height * width).gather(2, pixels).view(images.shape)


def _reflected(size: int, offset: Tensor | None, device: torch.device) -> Tensor:
    """Where the pixels 0..size-1 of a crop at `offset` [n] lie in the image that was padded: [n, size] or [1, size]."""
    pixels = torch.arange(size, device=device)[None]
    if offset is None:
        return pixels
    last = size - 1
    return last - (last - (pixels + offset[:, None] - PADDING).abs()).abs()
