"""Matrix products of stacked layers: a_k b_k^T for every member k, of a [K, m, i] and b [K, n, i].

On x86 CPUs PyTorch multiplies float32 matrices with MKL, which leaves the wide vector units of other vendors' CPUs
unused. oneDNN, which it uses for convolutions, does not: twice the speed on an EPYC of 2024, and other rounding.
PyTorch reaches it for linear layers under an internal name only, so its absence is provided for.
"""

import platform
from typing import Protocol

import torch
from torch import Tensor

SMALLEST = 2**20
"""Multiplications in one product for which oneDNN's start is worth its speed."""


class Products(Protocol):
    """a_k b_k^T, into `out` [K, m, n] where that is given."""

    def __call__(self, a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor: ...


def products(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """By PyTorch's batched product; on a CPU bit for bit what each member's own product would be."""
    return torch.bmm(a, b.mT) if out is None else torch.bmm(a, b.mT, out=out)


def onednn_products(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """By oneDNN where products are large."""
    count, m, inner = a.shape
    n = b.shape[1]
    if m * n * inner < SMALLEST:
        return products(a, b, out)
    multiply = torch.ops.mkldnn._linear_pointwise
    out = a.new_empty(count, m, n) if out is None else out
    for target, left, right in zip(out, a, b, strict=True):
        target.copy_(multiply(left, right, None, "none", [], ""))
    return out


def choose_products(onednn: bool, device: torch.device) -> Products:
    """oneDNN's where it is wanted and there is one."""
    on_x86 = device.type == "cpu" and platform.machine() in ("x86_64", "AMD64")
    there = on_x86 and torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return onednn_products if onednn and there else products
