"""Groups of weights as rows: any tensor, mask and `dim` brought to the shape [..., group size], and checked."""

import math

import torch
from torch import Tensor

from ..errors import UserError

INTEGERS = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
Dim = int | tuple[int, ...] | None


def as_rows(w: Tensor, mask: Tensor | None, dim: Dim, name: str = "w") -> tuple[Tensor, Tensor]:
    """Magnitudes [..., n] with 0 where masked, and alive counts d [...] in float64.

    The dimensions `dim` (None: all; (): none, groups of one) are joined to the last one, n; the others keep their
    order. Whole numbers become float64, in which the smallest one has a magnitude too; floating ones keep their type.

    Raises:
        UserError: weights that are not real numbers of a plain tensor, or NaN or infinite where they are alive; a mask
            that is not boolean, of the shape and on the device of `w`; `dim` that `w` does not have, or has twice.
    """
    check_type(w, name)
    w = w.detach() if w.dtype in FLOATS else w.double()
    if mask is None:
        mask = torch.ones_like(w, dtype=torch.bool)
    check_mask(w, mask)
    dims = _dims(w, dim)
    magnitude = torch.where(mask, w, 0).abs_()
    if magnitude.numel() and not magnitude.amax().isfinite():  # the largest is NaN where any is
        count = int((~magnitude.isfinite()).sum())
        raise UserError(
            f"{name}: {count} of {magnitude.numel()} weights are alive and NaN or infinite, measures need finite ones; "
            "lower trainer.lr where a training diverged, or mask them"
        )
    alive = _join(mask, dims)
    # int32 takes a quarter of the time of a float64 sum, which converts the whole mask first
    d = alive.sum(-1, dtype=torch.int32 if alive.shape[-1] < 2**31 else torch.int64)
    return _join(magnitude, dims), d.double()


def check_type(w: Tensor, name: str) -> None:
    """Raise a UserError where `w` is not a dense tensor of real numbers, of types that all operations take."""
    if not isinstance(w, Tensor) or w.dtype not in INTEGERS + FLOATS or w.layout != torch.strided:
        found = f"{w.dtype}, {w.layout}" if isinstance(w, Tensor) else type(w).__name__
        allowed = ", ".join(str(dtype).removeprefix("torch.") for dtype in FLOATS + INTEGERS)
        raise UserError(
            f"{name} is of type {found}; it must be a dense tensor of {allowed}: convert it, as with w.float(), "
            "w.abs() of complex numbers, w.to_dense() of sparse ones, or torch.as_tensor(w) of an array"
        )


def check_mask(w: Tensor, mask: Tensor, name: str = "mask") -> None:
    """Raise a UserError where `mask` is not a boolean tensor of the shape, and on the device, of `w`."""
    if mask.dtype != torch.bool or mask.shape != w.shape or mask.device != w.device:
        raise UserError(
            f"{name} has shape {tuple(mask.shape)} and type {mask.dtype} on {mask.device}; it must be torch.bool "
            f"of the weights' shape {tuple(w.shape)} on {w.device}, True where a weight is alive"
        )


def nonzero_or_one(scale: Tensor) -> Tensor:
    """`scale` to divide by, 1 where it is 0, so that all-zero groups stay zero."""
    return torch.where(scale == 0, 1, scale)


def block_size(t: Tensor) -> int:
    """Elements to work on at a time: two float64 copies stay in a CPU's L2 cache; on a GPU launches are few."""
    return 1 << 15 if t.device.type == "cpu" else 1 << 23


def _dims(t: Tensor, dim: Dim) -> list[int]:
    """`dim` as different dimensions of `t`, counted from the first."""
    if dim is None:
        return list(range(t.dim()))
    given = dim if isinstance(dim, tuple | list) else (dim,)
    most = max(t.dim(), 1)
    if not all(type(d) is int and -most <= d < most for d in given) or len({d % most for d in given}) < len(given):
        raise UserError(f"dim={dim} is not allowed: choose different ones of {-most} to {most - 1}, or None for all")
    return [d % most for d in given if t.dim()]


def _join(t: Tensor, dims: list[int]) -> Tensor:
    if len(dims) == t.dim() and dims == sorted(dims):
        return t.reshape(-1)
    kept = [d for d in range(t.dim()) if d not in dims]
    size = math.prod(t.shape[d] for d in dims)
    return t.permute(*kept, *dims).reshape(*(t.shape[d] for d in kept), size)
