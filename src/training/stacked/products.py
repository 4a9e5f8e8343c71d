"""Matrix products of a stack's members, each with the same bits whoever else is in the stack.

On a CPU a library chooses its kernels, and how it splits sums over threads, by the shape of a product: the rows of one
product of 16 members may differ in rounding from those of 4, or of one alone. Products of a batch of two or more
members, each aligned alike, do not. They are what counts; one product for all who share a batch, or for one alone, is
faster, and takes their place where a trial on random numbers of the same shapes gives the same bits.
"""

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

    def each(self, a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
        """Products [K, m, n] of `a` [K, m, k] and each member's own `b` [K, k, n]."""
        out = room(a, b.shape[2]) if out is None else out
        if len(a) == 1:
            return self.shared(a, b[0], out)
        return _batched(self._factor(a), self._factor(b), out)

    def shared(self, a: Tensor, b: Tensor, out: Tensor) -> Tensor:
        """Products [K, m, n] of `a` [K, m, k] and the same `b` [k, n] for all."""
        a, b = self._factor(a), self._factor(b)
        members, rows, inner = a.shape
        if members > 1 and rows >= WIDE:
            return _batched(a, b, out)
        layouts = a.stride(2) == 1, b.stride(1) == 1
        shape, threads = (members, rows, inner, b.shape[1]), torch.get_num_threads()
        exact = not a.is_cpu or _joined_is_exact(shape, layouts, a.dtype, threads)
        return (_joined if exact else _batched)(a, b, out)

    def _factor(self, values: Tensor) -> Tensor:
        return values.bfloat16() if self._bf16 else values


def room(a: Tensor, columns: int) -> Tensor:
    """For products [K, m, columns] of `a` [K, m, k]: every member's begins at a multiple of 64 bytes."""
    members, rows, _ = a.shape
    size = rows * columns
    return a.new_empty(members, padded(size))[:, :size].view(members, rows, columns)


def _joined(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """One product of all rows."""
    rows = a.reshape(-1, a.shape[2])
    if out.is_contiguous() and out.dtype == a.dtype:
        torch.mm(rows, b, out=out.view(len(rows), -1))
        return out
    return out.copy_(torch.mm(rows, b).view(out.shape))


def _batched(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """A product for each, two at least; `b` is [K, k, n] or the same [k, n] for all."""
    members = max(len(a), 2)
    a, b = (_aligned(t).expand(members, -1, -1) for t in (a, b))
    if len(out) == members and out.dtype == a.dtype:
        return torch.bmm(a, b, out=out)
    products = torch.bmm(a, b, out=room(a, b.shape[2]))
    return out.copy_(products[: len(out)])


def _aligned(factors: Tensor) -> Tensor:
    """Members' factors [K, m, k], or a common one, such that each begins where another may."""
    if factors.dim() == 2 or len(factors) == 1 or factors.stride(0) % ALIGNED == 0:
        return factors
    return room(factors, factors.shape[2]).copy_(factors)


@cache
def _joined_is_exact(
    shape: tuple[int, int, int, int], layouts: tuple[bool, bool], dtype: torch.dtype, threads: int
) -> bool:
    """Whether one product gives the bits of a product for each, on so many threads.

    `shape`: members, rows, inner size, columns; `layouts`: whether `a`'s and `b`'s rows are contiguous, or columns.
    """
    members, rows, inner, columns = shape
    generator = torch.Generator().manual_seed(0)

    def factor(size: tuple[int, ...], by_rows: bool) -> Tensor:
        size = size if by_rows else (*size[:-2], size[-1], size[-2])
        values = torch.randn(size, generator=generator).to(dtype)
        return values if by_rows else values.mT

    a, b = factor((members, rows, inner), layouts[0]), factor((inner, columns), layouts[1])
    return torch.equal(_joined(a, b, room(a, columns)), _batched(a, b, room(a, columns)))
