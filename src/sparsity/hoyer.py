"""Hoyer's sparsity measure of one group, or of many groups along a dimension."""

import torch
from torch import Tensor

from .rows import Dim, as_rows, nonzero_or_one


def hoyer_index(w: Tensor, mask: Tensor | None = None, dim: Dim = None) -> Tensor:
    """H = (sqrt(d) - ||w||_1 / ||w||_2) / (sqrt(d) - 1) over the d alive weights (Hoyer 2004).

    The groups are taken over `dim` (None: the whole tensor is one group). Returns float64 of the remaining shape, in
    [0, 1]; 0 for groups of one and of none, NaN where alive weights are all zero.

    >>> hoyer_index(torch.tensor([0.0, 0, 0, 1])).item()
    1.0

    Raises:
        UserError: weights that are NaN, infinite or not real where alive; a mask or `dim` that does not fit.
    """
    magnitude, d = as_rows(w, mask, dim)
    if magnitude.shape[-1] == 0:
        return torch.zeros_like(d)
    x = magnitude.double() / nonzero_or_one(magnitude.amax(-1, keepdim=True).double())
    root = d.sqrt()
    index = (root - x.sum(-1) / x.square().sum(-1).sqrt()) / nonzero_or_one(root - 1)
    return torch.where(d <= 1, 0, index.clamp(0, 1))
