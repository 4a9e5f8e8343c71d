"""PQ Index grid, Gini index and alive counts of every neuron, every layer and the network, in one pass.

All exponents of the grid are multiples of 0.1, so one power u = (|w| / max |w|)^0.1 per weight and repeated
multiplication by u give every power sum, and those of layers and network follow from those of the neurons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import UserError
from .gini import gini_of_rows
from .pqi import index_of_log_means
from .rows import as_rows, block_size, check_mask, check_type, nonzero_or_one

P_GRID = tuple(round(k * 0.1, 1) for k in range(1, 11))
Q_GRID = tuple(round(k * 0.1, 1) for k in range(10, 21))
_POWERS = 20


@dataclass(frozen=True)
class Measures:
    """Measures of N neurons and L layers (in the order of `layers`), float64; counts are int64.

    A neuron is a row W[o, ...] of a prunable tensor. Grids have rows p = 0.1..1.0 and columns q = 1.0..2.0.
    Groups with no alive weight have PQ Index 0 and Gini index NaN; all-zero ones NaN and 0.
    """

    layers: tuple[str, ...]
    pqi_neuron: Tensor  # [N, 10, 11]; [0, 10, 11] where neurons were not asked for
    pqi_layer: Tensor  # [L, 10, 11]
    pqi_global: Tensor  # [10, 11]
    gini_neuron: Tensor  # [N]; [0] where neurons were not asked for
    gini_layer: Tensor  # [L]
    gini_global: Tensor  # []
    d_neuron: Tensor  # [N], always there
    d_layer: Tensor  # [L]
    d_global: Tensor  # []


def measure(
    weights: Mapping[str, Tensor], masks: Mapping[str, Tensor], *, neurons: bool = True, gini: bool = True
) -> Measures:
    """All measures of a network in one pass over its prunable tensors and their masks (True: alive).

    `neurons=False` leaves the neurons' grids and Gini indices out; `gini=False` leaves every Gini index NaN.
    Results are on the weights' device.

    Raises:
        UserError: no tensors; names that differ; weights that are NaN, infinite or not real where alive; a mask that
            does not fit its tensor.
    """
    _check(weights, masks)
    rows = [as_rows(w.flatten(1), masks[name].flatten(1), 1, name) for name, w in weights.items()]
    by_layer = [power_sums(*row) for row in rows]
    neuron = joined(by_layer)
    layer = joined([pooled(sums) for sums in by_layer])
    network = pooled(layer)
    measured = neuron if neurons else neuron.first(0)
    if gini:
        gini_neuron, gini_layer, gini_global = _gini(rows, neurons)
    else:
        gini_neuron, gini_layer, gini_global = (
            torch.full_like(d, torch.nan) for d in (measured.d, layer.d, network.d[0])
        )
    return Measures(
        layers=tuple(weights),
        pqi_neuron=pqi_grid(measured),
        pqi_layer=pqi_grid(layer),
        pqi_global=pqi_grid(network)[0],
        gini_neuron=gini_neuron,
        gini_layer=gini_layer,
        gini_global=gini_global,
        d_neuron=neuron.d.long(),
        d_layer=layer.d.long(),
        d_global=network.d[0].long(),
    )


def _gini(rows: list[tuple[Tensor, Tensor]], neurons: bool) -> tuple[Tensor, Tensor, Tensor]:
    flat = [magnitude.reshape(-1) for magnitude, _ in rows]
    d_layer = torch.stack([d.sum() for _, d in rows])
    return (
        torch.cat([gini_of_rows(*row) for row in rows]) if neurons else d_layer[:0],
        torch.stack([gini_of_rows(magnitude, d) for magnitude, d in zip(flat, d_layer, strict=True)]),
        gini_of_rows(torch.cat(flat), d_layer.sum()),
    )


def _check(weights: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> None:
    if not weights or set(weights) != set(masks):
        raise UserError(f"weights {sorted(weights)} and masks {sorted(masks)} must name the same tensors, at least one")
    for name, weight in weights.items():
        check_type(weight, name)
        check_mask(weight, masks[name], f"mask of {name}")
        if weight.dim() < 2 or weight.numel() == 0:
            raise UserError(
                f"{name} has shape {tuple(weight.shape)}: choose tensors of 2 or more dimensions, none empty"
            )


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


def pqi_grid(groups: PowerSums) -> Tensor:
    """I_{p,q} [G, 10, 11] for p in P_GRID and q in Q_GRID; degenerate cases as in `pq_index`."""
    log_mean = (groups.sums / groups.d[:, None]).log() / _exponents(groups.d)
    return index_of_log_means(log_mean[:, :10, None], log_mean[:, None, 9:], groups.d[:, None, None])


def _exponents(like: Tensor) -> Tensor:
    return torch.arange(1, _POWERS + 1, dtype=torch.float64, device=like.device) / 10
