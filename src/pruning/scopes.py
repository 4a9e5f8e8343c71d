"""Scopes: how prunable tensors are cut into the groups that are measured and pruned on their own.

A grouping writes tensors as matrices of shape [groups, members]. All members of a group are in one row, so that
every decision is a computation along the last dimension.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Grouping:
    """A reversible view of prunable tensors as rows: `split` makes the matrices, `join` undoes it."""

    split: Callable[[Mapping[str, Tensor]], list[Tensor]]
    join: Callable[[list[Tensor], Mapping[str, Tensor]], dict[str, Tensor]]


def _per_tensor(rows: Callable[[Tensor], Tensor], back: Callable[[Tensor, torch.Size], Tensor]) -> Grouping:
    def split(tensors: Mapping[str, Tensor]) -> list[Tensor]:
        return [rows(tensor) for tensor in tensors.values()]

    def join(matrices: list[Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: back(matrix, tensor.shape) for matrix, (name, tensor) in zip(matrices, like.items(), strict=True)}

    return Grouping(split, join)


def _position_rows(tensor: Tensor) -> Tensor:
    return tensor.movedim(1, -1).reshape(-1, tensor.shape[1])


def _from_position_rows(matrix: Tensor, shape: torch.Size) -> Tensor:
    return matrix.reshape(shape[0], *shape[2:], shape[1]).movedim(-1, 1)


def _concatenate(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])[None]


def _split_network(matrices: list[Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    sizes = [tensor.numel() for tensor in like.values()]
    parts = torch.split(matrices[0][0], sizes)
    return {name: part.view(tensor.shape) for part, (name, tensor) in zip(parts, like.items(), strict=True)}


GROUPINGS: dict[str, Grouping] = {
    "neuron": _per_tensor(lambda w: w.flatten(1), lambda rows, shape: rows.reshape(shape)),
    # A7: the authors' quantile runs over the input channels of each kernel position, not over the whole filter.
    "neuron_dim1": _per_tensor(_position_rows, _from_position_rows),
    "layer": _per_tensor(lambda w: w.flatten()[None], lambda rows, shape: rows.reshape(shape)),
    "global": Grouping(lambda tensors: [_concatenate(tensors.values())], _split_network),
}
"""Scope name to grouping (PROTOCOL 1.2); `neuron_dim1` is what lottery ticket and one-shot call a neuron."""
