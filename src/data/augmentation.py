"""Random horizontal flips and crops, drawn on the host and applied where the images are."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

PADDING = 4


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


def augment(images: Tensor, flip: bool, crop: bool, generator: np.random.Generator) -> Tensor:
    """`apply` with fresh draws for images [n, C, H, W]; the same on every device."""
    return apply(images, draw(len(images), generator, flip, crop).to(images.device))


def _reflected(size: int, offset: Tensor | None, device: torch.device) -> Tensor:
    """Where the pixels 0..size-1 of a crop at `offset` [n] lie in the image that was padded: [n, size] or [1, size]."""
    pixels = torch.arange(size, device=device)[None]
    if offset is None:
        return pixels
    last = size - 1
    return last - (last - (pixels + offset[:, None] - PADDING).abs()).abs()
