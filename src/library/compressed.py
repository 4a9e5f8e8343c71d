"""Tensors that are mostly zero, in few bytes: where the others are, and their values.

Each tensor takes the smaller of a bitmap, a bit for each number, and CSR: the column of each value and where rows
begin. What neither makes smaller stays as it is. Restored tensors are equal; only the sign of a zero is not kept.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError

Tensors = Mapping[str, Tensor]
_BITMAP, _COLUMNS, _ROWS, _VALUES = ":bitmap", ":columns", ":rows", ":values"


def compress(state: Tensors) -> tuple[dict[str, Tensor], dict[str, list[int]]]:
    """Tensors to be written, and the shapes of those that are compressed, by name."""
    tensors: dict[str, Tensor] = {}
    shapes: dict[str, list[int]] = {}
    for name, tensor in ((name, tensor.detach().cpu()) for name, tensor in state.items()):
        found = min((_bitmap(tensor), _csr(tensor)), key=_bytes) if tensor.dim() > 0 and tensor.numel() else {}
        if found and _bytes(found) < tensor.numel() * tensor.element_size():
            tensors |= {name + part: content for part, content in found.items()}
            shapes[name] = list(tensor.shape)
        else:
            tensors[name] = tensor
    return tensors, shapes


def decompress(tensors: Tensors, shapes: Mapping[str, list[int]]) -> dict[str, Tensor]:
    """What `compress` was given.

    Raises:
        UserError: tensors that do not fit together.
    """
    parts = {name + part for name in shapes for part in (_BITMAP, _COLUMNS, _ROWS, _VALUES)}
    state = {name: tensor for name, tensor in tensors.items() if name not in parts}
    for name, shape in shapes.items():
        try:
            state[name] = _restored(name, shape, tensors)
        except (KeyError, RuntimeError, ValueError, IndexError) as error:
            raise UserError(f"{name} of shape {shape} cannot be restored: {error}; export it again") from error
    return state


def packed(mask: Tensor) -> Tensor:
    """Eight entries of a mask a byte, the first in the highest bit, flattened: uint8 [ceil(n / 8)]."""
    return torch.from_numpy(np.packbits(mask.detach().cpu().numpy()))


def unpacked(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """A mask of this shape from its bits, as `packed` gives them, or as it is."""
    if tensor.dtype == torch.bool:
        return tensor
    return torch.from_numpy(np.unpackbits(tensor.numpy(), count=int(np.prod(shape))).astype(bool)).view(*shape)


def _restored(name: str, shape: list[int], tensors: Tensors) -> Tensor:
    values = tensors[name + _VALUES]
    flat = torch.zeros(int(np.prod(shape)), dtype=values.dtype)
    if name + _BITMAP in tensors:
        flat[unpacked(tensors[name + _BITMAP], flat.shape)] = values
    else:
        columns, begins = tensors[name + _COLUMNS].long(), tensors[name + _ROWS].long()
        rows = torch.repeat_interleave(torch.arange(len(begins) - 1), begins.diff())
        flat[rows * (flat.numel() // shape[0]) + columns] = values
    return flat.view(shape)


def _bitmap(tensor: Tensor) -> dict[str, Tensor]:
    there = tensor != 0
    return {_BITMAP: packed(there), _VALUES: tensor[there]}


def _csr(tensor: Tensor) -> dict[str, Tensor]:
    there = tensor.flatten(1) != 0 if tensor.dim() > 1 else tensor[None] != 0
    narrow = torch.int16 if there.shape[1] <= 2**15 else torch.int32
    begins = torch.cat([torch.zeros(1, dtype=torch.int64), there.sum(1).cumsum(0)])
    values = tensor.reshape(there.shape)[there]
    return {_COLUMNS: there.nonzero()[:, 1].to(narrow), _ROWS: begins.int(), _VALUES: values}


def _bytes(tensors: Tensors) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
