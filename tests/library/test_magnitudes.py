"""Measures from weights told apart by magnitude equal those of the weights themselves."""

import math

import pytest
import torch
from torch import tensor

from src.errors import UserError
from src.library.magnitudes import BLOCK, magnitudes, pooled
from src.sparsity import P_GRID, Q_GRID, gini_index, pq_index
from src.sparsity.hoyer import hoyer_index

RANDOM = torch.randn(3 * BLOCK // 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "weights",
    [
        tensor([4.0, 3, 2, 1]),
        tensor([[4.0, -3], [0, 1]]),
        RANDOM,
        RANDOM * (RANDOM > 1),
        RANDOM[:5000].bfloat16(),
        RANDOM[:5000].half(),
        RANDOM[:5000].double() ** 9,
        RANDOM[:500].double() * 1e-30,
    ],
    ids=["four", "zero", "random", "sparse", "bfloat16", "float16", "heavy", "tiny"],
)
def test_all_measures(weights):
    group = magnitudes([weights])
    exact = 1e-12 if weights.numel() < 5 or weights.dtype.itemsize == 2 else 1e-7
    assert group.d == weights.numel()
    assert group.zeros == int((weights == 0).sum())
    assert group.pqi(0.5, 1) == pytest.approx(pq_index(weights, 0.5, 1).item(), abs=exact)
    assert group.pqi(1, 2) == pytest.approx(pq_index(weights, 1, 2).item(), abs=exact)
    assert group.gini() == pytest.approx(gini_index(weights).item(), abs=exact)
    assert group.hoyer() == pytest.approx(hoyer_index(weights).item(), abs=exact)
    assert group.grid()[2, 4].item() == pytest.approx(pq_index(weights, P_GRID[2], Q_GRID[4]).item(), abs=exact)


@pytest.mark.parametrize("p", [1e-300, 1e-12, 1e-6])
def test_a_small_exponent_keeps_its_digits(p):
    weights = RANDOM[:400].bfloat16()
    assert magnitudes([weights]).pqi(p, 1) == pytest.approx(pq_index(weights, p, 1).item(), abs=1e-12)


def test_equal_weights_are_not_sparse():
    assert {magnitudes([torch.full((d,), 0.3)]).hoyer() >= 0 for d in range(2, 100)} == {True}


def test_four_weights_by_hand():
    group = magnitudes([tensor([-1.0, 0, 0.5]), tensor([0.5])])
    assert group.values.tolist() == [0.5, 1]
    assert group.counts.tolist() == [2, 1]
    assert (group.zeros, group.d) == (1, 4)


def test_a_pool_is_the_group_of_all():
    parts = [RANDOM[:1000], RANDOM[1000:5000] * 8, torch.zeros(7)]
    pool, whole = pooled(magnitudes([part]) for part in parts), magnitudes([torch.cat(parts)])
    assert (pool.pqi(0.5, 1), pool.gini(), pool.d) == (whole.pqi(0.5, 1), whole.gini(), 5007)


def test_degenerate_groups():
    zeros, none, one = magnitudes([torch.zeros(3)]), magnitudes([]), magnitudes([tensor([2.0])])
    assert math.isnan(zeros.pqi(0.5, 1))
    assert (zeros.gini(), zeros.zeros) == (0, 3)
    assert none.pqi(0.5, 1) == 0
    assert math.isnan(none.gini())
    assert (one.pqi(0.5, 1), one.gini(), one.hoyer()) == (0, 0, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_named(bad):
    with pytest.raises(UserError, match=r"fc\.weight holds NaN or infinity"):
        magnitudes([tensor([1.0, bad])], "fc.weight")


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (torch.ones(2, 2, dtype=torch.complex64), "is complex"),
        (torch.ones(2, 2, device="meta"), "is on the meta device"),
        (torch.ones(2, 2).to_sparse(), r"has the layout torch\.sparse_coo"),
    ],
)
def test_what_has_no_magnitudes_is_named(bad, what):
    with pytest.raises(UserError, match=rf"fc\.weight {what}"):
        magnitudes([bad], "fc.weight")
