"""PQ Index: published vectors, degenerate groups, scale safety, options."""

import math
from decimal import Decimal, localcontext

import pytest
import torch
from torch import Tensor, tensor

from src.errors import UserError
from src.sparsity import pq_index

PAIRS = [(0.1, 1), (0.2, 1), (0.5, 1), (1, 1.2), (1, 2), (0.5, 2)]
VECTORS = {
    (4, 3, 2, 1): [0.102677, 0.090759, 0.055586, 0.020440, 0.087129, 0.137872],
    (0, 0, 0, 1): [0.999996, 0.996094, 0.75, 0.206299, 0.5, 0.875],
    (1, 1, 1, 1): [0, 0, 0, 0, 0, 0],
    (1, -2, 0.5, 3, 0, 0, 7): [0.965665, 0.807638, 0.404901, 0.113943, 0.358415, 0.618193],
}


def exact_pqi(w: list[float], p: float, q: float) -> float:
    """The defining formula in 60 decimal digits."""
    with localcontext() as context:
        context.prec = 60

        def power_mean(s: float) -> Decimal:
            total = sum((abs(Decimal(x)) ** Decimal(s) for x in w), Decimal(0))
            return (total / len(w)) ** (1 / Decimal(s))

        return float(1 - power_mean(p) / power_mean(q))


def gaussian_pqi(p: float, q: float) -> float:
    def power_mean(s: float) -> float:
        return math.pow(2 ** (s / 2) * math.gamma((s + 1) / 2) / math.sqrt(math.pi), 1 / s)

    return 1 - power_mean(p) / power_mean(q)


@pytest.mark.parametrize(("w", "expected"), VECTORS.items())
def test_published_vectors(w: tuple[float, ...], expected: list[float]) -> None:
    found = [pq_index(tensor(w), p, q).item() for p, q in PAIRS]
    assert found == pytest.approx(expected, abs=6e-7)


def test_result_is_float64_and_masked_entries_do_not_count() -> None:
    w = tensor([[4.0, 3, 2, 1], [5, 5, 9, 9], [1, 2, 3, 4]])
    mask = tensor([[True, True, False, True], [True, True, False, False], [False] * 4])
    pqi = pq_index(w, 0.5, 1, mask, dim=1)
    assert pqi.dtype == torch.float64
    assert pqi.tolist() == pytest.approx([exact_pqi([4, 3, 1], 0.5, 1), 0, 0], abs=1e-15)
    assert pqi[0].item() == pytest.approx(0.0670, abs=5e-5)


def test_degenerate_groups() -> None:
    w = tensor([[3.0, 2.0], [0.0, 0.0], [7.0, 1.0], [0.0, 1.0]])
    mask = tensor([[False, False], [True, True], [True, False], [True, False]])
    pqi = pq_index(w, 0.5, 1, mask, dim=1)
    assert pqi[[0, 2]].tolist() == [0, 0]
    assert pqi[[1, 3]].isnan().all()
    assert pq_index(torch.empty(3, 0), 0.5, 1, dim=1).tolist() == [0, 0, 0]


def test_nan_and_garbage_under_the_mask_are_ignored() -> None:
    w = tensor([[4.0, 3, math.nan, 1], [math.inf, 1, 1, 1]])
    mask = tensor([[True, True, False, True], [False, True, True, True]])
    pqi = pq_index(w, 0.5, 1, mask, dim=1)
    assert pqi.tolist() == pytest.approx([exact_pqi([4, 3, 1], 0.5, 1), 0], abs=1e-15)


def test_dimensions_select_the_groups() -> None:
    w = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    per_filter = pq_index(w, 0.5, 1, dim=(1, 2, 3))
    assert per_filter.tolist() == [pq_index(row, 0.5, 1).item() for row in w]
    assert pq_index(w, 0.5, 1, dim=(-1, 1)).shape == (2, 4)
    assert pq_index(w, 0.5, 1, dim=1)[1, 2, 3].item() == pytest.approx(pq_index(w[1, :, 2, 3], 0.5, 1).item())
    assert pq_index(tensor(3.0), 0.5, 1).shape == ()


def test_equal_exponents_give_zero_and_rounding_never_a_negative() -> None:
    w = tensor([0.1, 0.3, 0.7])
    assert pq_index(w, 0.3, 0.3).item() == 0
    constants = torch.rand(200, 1, dtype=torch.float64).expand(200, 37)
    assert pq_index(constants, 0.1, 1.7, dim=1).tolist() == [0] * 200
    noise = torch.rand(500, 37, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert (pq_index(1 + 1e-15 * noise, 0.5, 0.6, dim=1) >= 0).all()


@pytest.mark.parametrize(
    ("p", "q"), [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.5), (0.5, math.inf), (0.5, 10**400), (math.nan, 1.0), (1.0, math.nan)]
)
def test_impossible_exponents_are_named(p: float, q: float) -> None:
    with pytest.raises(UserError, match=rf"p={p} and q={q}"):
        pq_index(torch.ones(3), p, q)


@pytest.mark.parametrize("mask", [torch.ones(3), torch.ones(4, dtype=torch.bool)])
def test_masks_that_do_not_fit_are_refused(mask: Tensor) -> None:
    with pytest.raises(UserError, match=r"\(3,\)"):
        pq_index(torch.ones(3), 0.5, 1, mask)


@pytest.mark.parametrize(
    ("p", "q"), [(1e-3, 1e3), (1e-3, 2e-3), (0.1, 1), (1e-9, 1), (1, 1e3), (999, 1000), (0.999999, 1)]
)
@pytest.mark.parametrize("w", [[4.0, 3.0, 2.0, 1.0], [1e-6, 1.0, 1e-3], [1.0, 1.0, 1.0001]])
def test_extreme_exponents_keep_their_digits(w: list[float], p: float, q: float) -> None:
    found = pq_index(tensor(w, dtype=torch.float64), p, q).item()
    assert found == pytest.approx(exact_pqi(w, p, q), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [
        (1e300, torch.float64),
        (1e-300, torch.float64),
        (1e38, torch.float32),
        (1e-37, torch.float32),
        (1e4, torch.float16),
    ],
)
@pytest.mark.parametrize(("p", "q"), [(0.1, 1), (0.5, 1), (1, 2), (1e-3, 1e3)])
def test_scale_is_safe(scale: float, dtype: torch.dtype, p: float, q: float) -> None:
    w = (tensor([1.0, -0.5, 0.25, 2.0], dtype=torch.float64) * scale).to(dtype)
    assert pq_index(w, p, q).item() == pytest.approx(exact_pqi([1, 0.5, 0.25, 2], p, q), rel=2e-3)
    if dtype == torch.float64:
        assert pq_index(w, p, q).item() == pytest.approx(exact_pqi([1, 0.5, 0.25, 2], p, q), rel=1e-12, abs=0)


def test_subnormal_weights_and_the_widest_range() -> None:
    assert pq_index(tensor([1e-40, 2e-40]), 0.5, 1).item() == pytest.approx(exact_pqi([1, 2], 0.5, 1), rel=1e-4)
    wide = [1e300] * 999 + [1e-300]
    found = pq_index(tensor(wide, dtype=torch.float64), 1e-3, 1).item()
    assert found == pytest.approx(exact_pqi(wide, 1e-3, 1), rel=1e-9)


@pytest.mark.parametrize(("p", "q"), [(0.1, 1), (0.2, 1), (0.5, 1), (1, 2), (0.5, 2)])
def test_gaussian_anchor(p: float, q: float) -> None:
    w = torch.randn(1_000_000, generator=torch.Generator().manual_seed(1))
    assert pq_index(w, p, q).item() == pytest.approx(gaussian_pqi(p, q), abs=1.5e-3)


def test_small_p_on_ten_million_weights() -> None:
    w = torch.randn(10_000_000, generator=torch.Generator().manual_seed(2)) * 1e-3
    assert pq_index(w, 0.1, 1).item() == pytest.approx(0.296, abs=1e-3)


def test_one_large_weight_among_a_million_keeps_its_digits() -> None:
    w = 1e-5 * torch.rand(1_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    w[0] = 1
    mean, mean_square = math.fsum(w.tolist()) / len(w), math.fsum((w * w).tolist()) / len(w)
    assert pq_index(w, 1, 2).item() == pytest.approx(1 - mean / math.sqrt(mean_square), rel=1e-14, abs=0)


def test_few_alive_among_many_masked_keep_their_digits() -> None:
    w = torch.zeros(1_000_000)
    w[:3] = tensor([1.0, 2.0, 4.0])
    found = pq_index(w, 1e-3, 1, w > 0).item()
    assert found == pytest.approx(exact_pqi([1, 2, 4], 1e-3, 1), rel=1e-11, abs=0)


@pytest.mark.parametrize(("size", "overflows"), [(6_800, False), (7_000, True)])
def test_legacy_overflow_agrees_with_the_float32_norm(size: int, overflows: bool) -> None:
    w = tensor([1.0, 2.0]).repeat(size // 2)
    assert torch.linalg.vector_norm(w, 0.1).isinf().item() == overflows
    true_value = exact_pqi([1, 2], 0.1, 1)
    assert pq_index(w, 0.1, 1).item() == pytest.approx(true_value)
    assert pq_index(w, 0.1, 1, legacy_overflow=True).item() == pytest.approx(0 if overflows else true_value)
    assert pq_index(w, 0.2, 1, legacy_overflow=True).item() == pytest.approx(exact_pqi([1, 2], 0.2, 1))
