"""The Gini index of one group, or of many groups along a dimension."""

import numpy as np
import torch
from torch import Tensor

from src.sparsity.rows import as_rows, nonzero_or_one

OFFSET = 1e-7  # added to every magnitude by the authors' code: an all-zero group has Gini 0
_CHUNK = 1 << 20


def gini_index(w: Tensor, mask: Tensor | None = None, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """G = sum_i (2i - N - 1) x_(i) / (N sum_i x_(i)), with x the sorted |w| + 1e-7 of the N alive weights.

    The groups are taken over `dim` (None: the whole tensor is one group). Returns float64 of the remaining
    shape, in [0, 1 - 1/N]; NaN for a group with no alive weight (unlike the PQ Index).

    >>> round(gini_index(torch.tensor([4.0, 3, 2, 1])).item(), 6)
    0.25

    Raises:
        UserError: a mask that is not boolean or not of the shape of `w`.
    """
    return gini_of_rows(*as_rows(w, mask, dim))


def gini_of_rows(magnitude: Tensor, d: Tensor) -> Tensor:
    """Gini index [...] of magnitudes [..., n] that are 0 where masked, with d [...] alive in float64."""
    n = magnitude.shape[-1]
    if n == 0:
        return torch.full_like(d, torch.nan)
    x = _sorted(magnitude)
    peak = nonzero_or_one(x[..., -1].double())
    ranked, total = torch.zeros_like(d), torch.zeros_like(d)
    # The masked zeros stand first and add nothing, so alive ranks count from the end: i = j - n + N. The
    # 1e-7 cancels in the numerator, whose coefficients add up to 0.
    for start in range(0, n, _CHUNK):
        part = x[..., start : start + _CHUNK].double() / peak[..., None]
        j = torch.arange(start + 1, start + 1 + part.shape[-1], dtype=torch.float64, device=x.device)
        ranked += part @ (2 * (j - n) - 1)
        total += part.sum(-1)
    return ((ranked + d * total) / (d * (total + d * (OFFSET / peak)))).clamp_min(0)


def _sorted(magnitude: Tensor) -> Tensor:
    if magnitude.dtype not in (torch.float32, torch.float64):
        magnitude = magnitude.float()
    if magnitude.device.type != "cpu":
        return magnitude.sort(-1).values
    # numpy's vectorised sort takes 1/25 of the time of torch's on the CPU
    return torch.from_numpy(np.sort(magnitude.numpy(), axis=-1))
