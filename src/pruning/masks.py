"""Masks: one boolean tensor per prunable tensor, True where the weight is alive."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
Masks = Mapping[str, Tensor]


def full_masks(state: Weights, prunable: Iterable[str]) -> dict[str, Tensor]:
    """m_0: every weight of the tensors named `prunable` is alive."""
    return {name: torch.ones_like(state[name], dtype=torch.bool) for name in prunable}


def apply_masks(state: Weights, masks: Masks) -> dict[str, Tensor]:
    """The state with pruned weights set to zero; tensors without a mask are passed on as they are."""
    return {name: torch.where(masks[name], w, 0.0) if name in masks else w for name, w in state.items()}


def remaining(masks: Masks) -> int:
    """Number of weights alive, |m|."""
    return int(sum(int(mask.sum()) for mask in masks.values()))
