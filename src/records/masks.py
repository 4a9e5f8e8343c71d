"""Masks on disk: a byte per weight that any reader understands, or a bit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from src.records.schema import MASKS_FILE, read_status
from src.store.tensors import read_tensors


def packed(masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Eight entries a byte, the first in the highest bit, flattened: uint8 [ceil(n / 8)]."""
    return {name: torch.from_numpy(np.packbits(mask.detach().cpu().numpy())) for name, mask in masks.items()}


def read_masks(run_folder: Path) -> dict[str, Tensor]:
    """All masks of a run, bool tensors by `iteration_<t>/<weight>`, whichever way they were kept.

    Raises OSError where there are none, or a damaged file.
    """
    state = read_status(run_folder)
    tensors, shapes = read_tensors(run_folder / MASKS_FILE, **({"id": state["id"]} if state and state["files"] else {}))
    return {name: unpacked(tensor, shapes[name.split("/", 1)[1]]) for name, tensor in tensors.items()}


def unpacked(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """A mask of this shape from its bits, as `packed` gives them, or as it is."""
    if tensor.dtype == torch.bool:
        return tensor
    size = int(np.prod(shape))
    return torch.from_numpy(np.unpackbits(tensor.numpy(), count=size).astype(bool)).view(*shape)
