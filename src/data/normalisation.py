"""From bytes to the numbers that a model sees."""

from functools import lru_cache

import torch
from torch import Tensor

from src.data.traits import Channels


def normalise(images: Tensor, mean: Channels, std: Channels) -> Tensor:
    """(x / 255 - mean) / std in float32 and in this order, for uint8 images [..., C, H, W].

    Bitwise what torchvision's ToTensor and Normalize give.
    """
    scale, offset, width = _constants(mean, std, images.device)
    return images.to(torch.float32).div_(scale).sub_(offset).div_(width)


@lru_cache(maxsize=16)
def _constants(mean: Channels, std: Channels, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    # 255 as a tensor: CUDA divides by a Python number through its reciprocal, one bit off
    return (
        torch.tensor(255.0, device=device),
        torch.tensor(mean, dtype=torch.float32, device=device).view(-1, 1, 1),
        torch.tensor(std, dtype=torch.float32, device=device).view(-1, 1, 1),
    )
