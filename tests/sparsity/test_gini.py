"""Gini index: published vectors, degenerate groups, masks."""

import math

import pytest
import torch
from torch import Tensor, tensor

from src.sparsity import gini_index


def hurley_rickard(w: Tensor) -> float:
    """1 - 2 sum_k x_(k) / ||x||_1 * (N - k + 1/2) / N, term by term."""
    x = sorted(abs(value) + 1e-7 for value in w.flatten().tolist())
    n, total = len(x), math.fsum(x)
    return 1 - 2 * math.fsum(value / total * (n - k - 0.5) / n for k, value in enumerate(x))


@pytest.mark.parametrize(
    ("w", "expected"),
    [
        ((4.0, 3, 2, 1), 0.25),
        ((0.0, 0, 0, 1), 0.7499997),
        ((1.0, 1, 1, 1), 0),
        ((1, -2, 0.5, 3, 0, 0, 7), 0.603175),
    ],
)
def test_published_vectors(w: tuple[float, ...], expected: float) -> None:
    assert gini_index(tensor(w)).item() == pytest.approx(expected, abs=5e-7)
    assert gini_index(tensor(w)).item() == pytest.approx(hurley_rickard(tensor(w)), abs=1e-14)


def test_rows_with_different_alive_counts() -> None:
    w = tensor([[4.0, 3, 9, 1], [5, 5, 9, 9], [1, 2, 3, 4], [6, 1, 2, 3], [0, 0, 0, 0], [math.nan, 1, 0, 3]])
    mask = tensor([[1, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 1]]).bool()
    gini = gini_index(w, mask, dim=1)
    assert gini.dtype == torch.float64
    assert gini[[0, 1, 3, 4]].tolist() == pytest.approx([0.25, 0, 0, 0], abs=5e-7)
    assert gini[2].isnan()
    assert gini[5].item() == pytest.approx(hurley_rickard(tensor([1.0, 0, 3])), abs=1e-14)


def test_empty_single_and_constant_groups() -> None:
    assert gini_index(torch.empty(0)).isnan()
    assert gini_index(tensor(3.7)).item() == 0
    assert gini_index(torch.full((1000,), 0.1)).item() == pytest.approx(0, abs=1e-14)
    noise = torch.rand(500, 37, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert (gini_index(1 + 1e-15 * noise, dim=1) >= 0).all()


def test_dimensions_and_types() -> None:
    w = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0))
    expected = [hurley_rickard(row) for row in w]
    assert gini_index(w, dim=(1, 2)).tolist() == pytest.approx(expected, abs=1e-14)
    assert gini_index(w.bfloat16(), dim=(1, 2)).tolist() == pytest.approx(expected, abs=5e-3)
    assert gini_index(w.double() * 1e300, dim=(1, 2)).tolist() == pytest.approx(expected, abs=1e-5)
    assert gini_index(w.double() * 1e-310).item() == pytest.approx(0, abs=1e-14)


def test_gaussian_anchor_over_several_chunks() -> None:
    w = torch.randn(3_000_000, generator=torch.Generator().manual_seed(1))
    mask = torch.rand(w.shape, generator=torch.Generator().manual_seed(2)) < 0.5
    assert gini_index(w).item() == pytest.approx(math.sqrt(2) - 1, abs=1e-3)
    assert gini_index(w, mask).item() == pytest.approx(gini_index(w[mask]).item(), rel=1e-12, abs=0)
