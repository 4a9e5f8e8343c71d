"""Retained bound: the published table, float32 evaluation, bad input."""

import math

import pytest
import torch
from torch import tensor

from src.errors import UserError
from src.sparsity import retained_lower_bound

# d, I, p, q, eta_r, r
TABLE = [
    (27, 0.155, 0.5, 1, 0, 23),
    (27, 0.02, 0.5, 1, 0, 27),
    (10, 0.3, 0.5, 1, 0, 7),
    (2, 0.4, 0.5, 1, 0, 2),
    (512, 0.155, 0.5, 1, 0, 433),
    (1_728, 0.19, 0.5, 1, 0, 1_400),
    (1_555_136, 0.31, 0.5, 1, 0, 1_073_044),
    (1_555_136, 0.517, 1, 2, 0, 362_797),
    (1_555_136, 0.31, 0.5, 1, 0.1, 886_814),
    (1_555_136, 0.31, 0.5, 1, 1, 268_261),
    (100, 0.05, 0.5, 1, 0, 95),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("d", "pqi", "p", "q", "eta_r", "r"), TABLE)
def test_published_table(d: int, pqi: float, p: float, q: float, eta_r: float, r: int, dtype: torch.dtype) -> None:
    found = retained_lower_bound(pqi, d, p, q, eta_r, dtype=dtype)
    assert found.dtype == dtype
    assert found.item() == r


@pytest.mark.parametrize(
    ("d", "pqi", "gamma", "pruned_float32", "pruned_exact"),
    [
        (27, 0.155, 1, 3, 4),
        (27, 0.02, 1, 0, 0),
        (1_728, 0.19, 1, 328, 328),
        (1_555_136, 0.31, 1, 482_091, 482_092),
        (1_555_136, 0.31, 3, 1_399_622, 1_399_622),
        (100, 0.05, 3, 15, 15),
    ],
)
def test_float32_bound_gives_the_reference_counts(
    d: int, pqi: float, gamma: float, pruned_float32: int, pruned_exact: int
) -> None:
    r = retained_lower_bound(pqi, d, 0.5, 1, dtype=torch.float32)
    count = tensor(d, dtype=torch.float32)
    assert (count * (gamma * (1 - r / count)).clamp(0, 0.9)).floor().item() == pruned_float32
    exact = retained_lower_bound(pqi, d, 0.5, 1).item()
    assert min(int(gamma * (d - exact)), 9 * d // 10) == pruned_exact


def test_groups_broadcast_nan_stays_and_empty_groups_keep_nothing() -> None:
    pqi = tensor([0.3, math.nan, 0.0, 1.0, 0.0], dtype=torch.float64)
    d = tensor([10, 10, 0, 10, 10])
    r = retained_lower_bound(pqi, d, 0.5, 1)
    assert r[[0, 2, 3, 4]].tolist() == [7, 0, 0, 10]
    assert r[1].isnan()
    assert retained_lower_bound(0.25, 10, 0.5, 1, ceil=False).item() == 7.5


@pytest.mark.parametrize(("p", "q", "eta_r"), [(1, 1, 0), (2, 1, 0), (0, 1, 0), (0.5, 1, -0.1), (0.5, 1, math.nan)])
def test_bad_input_is_named(p: float, q: float, eta_r: float) -> None:
    with pytest.raises(UserError, match="choose"):
        retained_lower_bound(0.3, 10, p, q, eta_r)


@pytest.mark.parametrize(("pqi", "d"), [(-0.1, 10), (1.1, 10), (0.5, -1)])
def test_indices_and_counts_that_there_are_not_are_named(pqi: float, d: int) -> None:
    with pytest.raises(UserError, match=f"pqi={pqi} and d={d} do not fit"):
        retained_lower_bound(pqi, d, 0.5, 1)


def test_float32_counts_above_2_to_24_are_rounded_to_24_bits() -> None:
    assert retained_lower_bound(0, 2**24 + 1, 0.5, 1).item() == 16_777_217
    assert retained_lower_bound(0, 2**24 + 1, 0.5, 1, dtype=torch.float32).item() == 16_777_216
