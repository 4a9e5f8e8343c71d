"""The Gini index of one group, or of many groups along a dimension."""

import numpy as np
import torch
from torch import Tensor

from .rows import Dim, as_rows, block_size, nonzero_or_one

OFFSET = 1e-7  # added to every magnitude by the authors' code: an all-zero group has Gini 0


def gini_index(w: Tensor, mask: Tensor | None = None, dim: Dim = None) -> Tensor:
    """G = sum_i (2i - N - 1) x_(i) / (N sum_i x_(i)), with x the sorted |w| + 1e-7 of the N alive weights.

    The groups are taken over `dim` (None: the whole tensor is one group). Returns float64 of the remaining
    shape, in [0, 1 - 1/N]; 0 for groups of one and all-zero ones, NaN for one with no alive weight (unlike the PQ
    Index).

    >>> round(gini_index(torch.tensor([4.0, 3, 2, 1])).item(), 6)
    0.25

    Raises:
        UserError: weights that are NaN, infinite or not real where alive; a mask or `dim` that does not fit.
    """
    return gini_of_rows(*as_rows(w, mask, dim))


def gini_of_rows(magnitude: Tensor, d: Tensor) -> Tensor:
    """Gini index [...] of magnitudes [..., n] that are 0 where masked, with d [...] alive in float64."""
    n = magnitude.shape[-1]
    if n == 0:
        return torch.full_like(d, torch.nan)
    x = _sorted(magnitude.reshape(d.numel(), n))
    peak = nonzero_or_one(x[:, -1].double())
    ranked, total = _rank_sums(x, peak)
    alive = d.reshape(-1)
    gini = (ranked + alive * total) / (alive * (total + alive * (OFFSET / peak)))
    return gini.clamp_min(0).reshape(d.shape)


def _rank_sums(x: Tensor, peak: Tensor) -> tuple[Tensor, Tensor]:
    """Sums over j of (2 (j - n) - 1) y_j and of y_j, with y = x / peak and x [G, n] ascending.

    The masked zeros stand first and add nothing, so alive ranks count from the end: i = j - n + N. The offset
    cancels in the numerator of the index, whose coefficients add up to 0.
    """
    groups, n = x.shape
    width = min(n, block_size(x))
    height = max(1, min(groups, block_size(x) // width))
    coefficients = torch.arange(1 - 2 * width, 0, 2, dtype=torch.float64, device=x.device)
    workspace = torch.empty(height * width, dtype=torch.float64, device=x.device)
    ranked, total = torch.zeros_like(peak), torch.zeros_like(peak)
    for top in range(0, groups, height):
        for left in range(0, n, width):
            block = x[top : top + height, left : left + width]
            y = workspace[: block.numel()].view(block.shape).copy_(block)
            y.div_(peak[top : top + height, None])
            part = y.sum(1)
            behind = n - left - y.shape[1]
            ranked[top : top + height] += y @ coefficients[-y.shape[1] :] - 2 * behind * part
            total[top : top + height] += part
    return ranked, total


def _sorted(magnitude: Tensor) -> Tensor:
    if magnitude.dtype not in (torch.float32, torch.float64):
        magnitude = magnitude.float()
    if magnitude.device.type != "cpu":
        return magnitude.sort(-1).values
    # numpy's vectorised sort takes 1/25 of the time of torch's on the CPU
    return torch.from_numpy(np.sort(magnitude.numpy(), axis=-1))
