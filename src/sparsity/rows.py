"""Groups of weights as rows: any tensor, mask and `dim` brought to the shape [..., group size]."""

import torch
from torch import Tensor

from ..errors import UserError


def as_rows(w: Tensor, mask: Tensor | None, dim: int | tuple[int, ...] | None) -> tuple[Tensor, Tensor]:
    """Magnitudes [..., n] with 0 where masked, and alive counts d [...] in float64.

    The dimensions `dim` (None: all) are joined to the last one, n; the others keep their order.

    Raises:
        UserError: a mask that is not boolean or not of the shape of `w`.
    """
    w = w.detach()
    if mask is None:
        mask = torch.ones_like(w, dtype=torch.bool)
    check_mask(w, mask)
    magnitude = torch.where(mask, w, 0).abs_()
    alive = _join(mask, dim)
    # int32 takes a quarter of the time of a float64 sum, which converts the whole mask first
    d = alive.sum(-1, dtype=torch.int32 if alive.shape[-1] < 2**31 else torch.int64)
    return _join(magnitude, dim), d.double()


def check_mask(w: Tensor, mask: Tensor, name: str = "mask") -> None:
    """Raise a UserError where `mask` is not a boolean tensor of the shape of `w`."""
    if mask.dtype != torch.bool or mask.shape != w.shape:
        raise UserError(
            f"{name} has shape {tuple(mask.shape)} and type {mask.dtype}; "
            f"it must be torch.bool of the weights' shape {tuple(w.shape)}, True where a weight is alive"
        )


def nonzero_or_one(scale: Tensor) -> Tensor:
    """`scale` to divide by, 1 where it is 0, so that all-zero groups stay zero."""
    return torch.where(scale == 0, 1, scale)


def block_size(t: Tensor) -> int:
    """Elements to work on at a time: two float64 copies stay in a CPU's L2 cache; on a GPU launches are few."""
    return 1 << 15 if t.device.type == "cpu" else 1 << 23


def _join(t: Tensor, dim: int | tuple[int, ...] | None) -> Tensor:
    if dim is None or t.dim() == 0:
        return t.reshape(-1)
    dims = [d % t.dim() for d in ((dim,) if isinstance(dim, int) else dim)]
    kept = [d for d in range(t.dim()) if d not in dims]
    return t.permute(*kept, *dims).reshape(*(t.shape[d] for d in kept), -1)
