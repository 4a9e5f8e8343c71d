"""Matrix products of a stack's members, each with the same bits whoever else is in the stack.

On a CPU a library chooses its kernels, and how it splits sums over threads, by the shape of a product: the rows of one
product of 16 members may differ in rounding from those of 4, or of one alone. Products of a batch of two or more
members, each aligned alike, do not. They are what counts; one product for all who share a batch, or for one alone, is
faster, and takes their place where a trial on random numbers of the same shapes gives the same bits.
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from src.training.spec import Precision
from src.training.vectors import ALIGNED, padded

WIDE = 64
"""Rows of a member from which on a product for each is as fast as one for all, or faster."""


class Products:
    """Of float32 factors or, in bf16, of factors rounded to bfloat16; results are float32."""

    def __init__(self, precision: Precision) -> None:
        self._bf16 = precision == "bf16"

    def __call__(self, a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        """Products [K, m, n] of `a` [K, m, k] and each member's own `b` [K, k, n], or the same `b` [k, n] for all."""
        (members, rows, inner), columns = a.shape, b.shape[-1]
        out = a.new_empty(members, rows, columns) if out is None else out
        a, b = self._factor(a), self._factor(b)
        if members > 1 and (b.dim() == 3 or rows >= WIDE):
            return _batched(a, b, out)
        b = b[0] if b.dim() == 3 else b
        key = (members, rows, inner, columns), _layouts(a, b), a.dtype, torch.get_num_threads()
        return (_joined if not a.is_cpu or _joined_is_exact(*key) else _batched)(a, b, out)

    def _factor(self, values: Tensor) -> Tensor:
        return values.bfloat16() if self._bf16 else values


def _joined(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """One product of all rows."""
    rows = a.reshape(-1, a.shape[2])
    rows = rows if _begins_aligned(rows) else rows.clone()
    if out.is_contiguous() and out.dtype == a.dtype and _begins_aligned(out):
        torch.mm(rows, b, out=out.view(len(rows), -1))
        return out
    return out.copy_(torch.mm(rows, b).view(out.shape))


def _batched(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """A product for each, two at least; `b` is [K, k, n] or the same [k, n] for all."""
    members = max(len(a), 2)
    a, b = (_aligned(t).expand(members, -1, -1) for t in (a, b))
    if a.is_cpu and not _any_place(out.shape[1:], a.shape[2], _layouts(a, b), a.dtype, torch.get_num_threads()):
        # room that is not contiguous: PyTorch loops over the members
        products = torch.bmm(a, b, out=_room((members, *out.shape[1:]), a))
    elif len(out) == members and out.is_contiguous() and out.dtype == a.dtype:
        return torch.bmm(a, b, out=out)
    else:
        products = torch.bmm(a, b)
    return out.copy_(products[: len(out)])


def _room(size: Sequence[int], like: Tensor) -> Tensor:
    """Members' matrices [K, rows, columns], each of which begins at a multiple of 64 bytes."""
    members, rows, columns = size
    return like.new_empty(members, padded(rows * columns))[:, : rows * columns].view(members, rows, columns)


def _begins_aligned(values: Tensor) -> bool:
    return values.data_ptr() % (ALIGNED * values.element_size()) == 0


def _aligned(factors: Tensor) -> Tensor:
    """Members' factors [K, m, k], or a common one, none of which begins otherwise than the others."""
    if factors.dim() == 2 or (_begins_aligned(factors) and (len(factors) == 1 or factors.stride(0) % ALIGNED == 0)):
        return factors
    if factors.stride(2) != 1:
        return _aligned(factors.mT).mT
    return _room(factors.shape, factors).copy_(factors)


def _layouts(a: Tensor, b: Tensor) -> tuple[bool, bool]:
    """Whether rows are contiguous, else columns."""
    return a.stride(-1) == 1, b.stride(-1) == 1


def _factors(shape: Sequence[int], layouts: tuple[bool, bool], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Random factors [K, m, k] and [k, n]."""
    members, rows, inner, columns = shape
    generator = torch.Generator().manual_seed(0)

    def factor(*size: int, by_rows: bool) -> Tensor:
        *first, m, n = size
        values = torch.randn(*first, *((m, n) if by_rows else (n, m)), generator=generator).to(dtype)
        return values if by_rows else values.mT

    return factor(members, rows, inner, by_rows=layouts[0]), factor(inner, columns, by_rows=layouts[1])


@cache
def _any_place(
    shape: tuple[int, int], inner: int, layouts: tuple[bool, bool], dtype: torch.dtype, _threads: int
) -> bool:
    """Whether products [m, n] in a batch have the same bits wherever they begin, on so many threads."""
    if shape[0] * shape[1] % ALIGNED == 0:
        return True
    a, b = _factors((1, shape[0], inner, shape[1]), layouts, dtype)
    products = torch.bmm(a.expand(ALIGNED, -1, -1), b.expand(ALIGNED, -1, -1))
    return all(torch.equal(products[0], other) for other in products)


@cache
def _joined_is_exact(
    shape: tuple[int, int, int, int], layouts: tuple[bool, bool], dtype: torch.dtype, _threads: int
) -> bool:
    """Whether one product of members, rows, inner size and columns has the bits of a product for each."""
    a, b = _factors(shape, layouts, dtype)
    joined, batched = (way(a, b, a.new_empty(shape[0], shape[1], shape[3])) for way in (_joined, _batched))
    return torch.equal(joined, batched)
