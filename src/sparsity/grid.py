"""PQ Index for the whole grid of (p, q) from one pass over the weights.

All exponents of the grid are multiples of 0.1, so one power u = (|w| / max |w|)^0.1 per weight and repeated
multiplication by u give every power sum, and those of layers and network follow from those of the neurons.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import UserError
from .pqi import index_of_log_means, overflows_float32
from .rows import block_size, nonzero_or_one

P_GRID = tuple(round(k * 0.1, 1) for k in range(1, 11))
Q_GRID = tuple(round(k * 0.1, 1) for k in range(10, 21))
_POWERS = 20


class PowerSums(NamedTuple):
    """Of G groups: sums [G, 20] of (|w| / peak)^(k/10), k = 1..20, peak [G] = max |w|, alive counts d [G]."""

    sums: Tensor
    peak: Tensor
    d: Tensor

    def first(self, groups: int) -> "PowerSums":
        return PowerSums(self.sums[:groups], self.peak[:groups], self.d[:groups])


def grid_index(p: float, q: float) -> tuple[int, int]:
    """Row and column of (p, q) in a [10, 11] grid.

    >>> grid_index(0.5, 1.0)
    (4, 0)

    Raises:
        UserError: a value that is not on the grid.
    """
    if p not in P_GRID or q not in Q_GRID:
        raise UserError(f"p={p}, q={q} is not on the grid: choose p from {P_GRID} and q from {Q_GRID}")
    return P_GRID.index(p), Q_GRID.index(q)


def power_sums(rows: Tensor, d: Tensor) -> PowerSums:
    """Power sums of the rows of magnitudes [G, n] that are 0 where masked, with d [G] alive in float64."""
    groups, n = rows.shape
    sums = torch.empty(_POWERS, groups, dtype=torch.float64, device=rows.device)
    peak = rows.amax(1).double()
    scale = nonzero_or_one(peak)[:, None]
    step = max(1, block_size(rows) // n)
    # Written over in every block: fresh memory would cost more in page faults than the arithmetic.
    workspace = torch.empty(2, min(step, groups), n, dtype=torch.float64, device=rows.device)
    for start in range(0, groups, step):
        block = slice(start, start + step)
        u, power = workspace[:, : rows[block].shape[0]]
        u.copy_(rows[block]).div_(scale[block]).pow_(0.1)
        power.copy_(u)
        for k in range(_POWERS):
            torch.sum(power, 1, out=sums[k, block])
            power.mul_(u)
    return PowerSums(sums.T, peak, d)


def pooled(groups: PowerSums) -> PowerSums:
    """The one group [1, 20] that holds the weights of all groups."""
    peak = groups.peak.amax(0, keepdim=True)
    ratio = groups.peak / nonzero_or_one(peak)
    sums = (groups.sums * ratio[:, None] ** _exponents(ratio)).sum(0, keepdim=True)
    return PowerSums(sums, peak, groups.d.sum(0, keepdim=True))


def joined(parts: list[PowerSums]) -> PowerSums:
    """The groups of all parts, in their order."""
    return PowerSums(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def pqi_grid(groups: PowerSums, *, legacy_overflow: bool = False) -> Tensor:
    """I_{p,q} [G, 10, 11] for p in P_GRID and q in Q_GRID; degenerate cases as in `pq_index`."""
    exponents = _exponents(groups.d)
    log_mean = (groups.sums / groups.d[:, None]).log() / exponents
    p_mean, q_mean = log_mean[:, :10, None], log_mean[:, None, 9:]
    d, peak = groups.d[:, None, None], groups.peak[:, None, None]
    pqi = index_of_log_means(p_mean, q_mean, d)
    if legacy_overflow:
        pqi = torch.where(overflows_float32(p_mean, peak, d, exponents[:10, None]), 0, pqi)
    return pqi


def _exponents(like: Tensor) -> Tensor:
    return torch.arange(1, _POWERS + 1, dtype=torch.float64, device=like.device) / 10
