"""PQ Index grid, Gini index and alive counts of every neuron, every layer and the network."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from .gini import gini_of_rows
from .grid import joined, pooled, power_sums, pqi_grid
from .rows import as_rows, check_mask


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
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    *,
    neurons: bool = True,
    gini: bool = True,
    legacy_overflow: bool = False,
) -> Measures:
    """All measures of a network in one pass over its prunable tensors and their masks (True: alive).

    `neurons=False` leaves the neurons' grids and Gini indices out; `gini=False` leaves every Gini index NaN.
    Results are on the weights' device.

    Raises:
        UserError: no tensors; names that differ; a mask that does not fit its tensor.
    """
    _check(weights, masks)
    rows = [_neuron_rows(weight, masks[name]) for name, weight in weights.items()]
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
        pqi_neuron=pqi_grid(measured, legacy_overflow=legacy_overflow),
        pqi_layer=pqi_grid(layer, legacy_overflow=legacy_overflow),
        pqi_global=pqi_grid(network, legacy_overflow=legacy_overflow)[0],
        gini_neuron=gini_neuron,
        gini_layer=gini_layer,
        gini_global=gini_global,
        d_neuron=neuron.d.long(),
        d_layer=layer.d.long(),
        d_global=network.d[0].long(),
    )


def _neuron_rows(weight: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    return as_rows(weight.flatten(1), mask.flatten(1), 1)


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
        check_mask(weight, masks[name], f"mask of {name}")
        if weight.dim() < 2 or weight.numel() == 0:
            raise UserError(
                f"{name} has shape {tuple(weight.shape)}: choose tensors of 2 or more dimensions, none empty"
            )
