"""Each measure satisfies the axioms it states, and breaks each other one on an example."""

from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, tensor

from src.errors import UserError
from src.library import hurley_rickard
from src.library.hurley_rickard import AXIOMS, MEASURES

Of = Callable[[Tensor], float]
SLACK = 1e-6  # the Gini index adds 1e-7 to every weight


def vector(values: list[float]) -> Tensor:
    return tensor(values, dtype=torch.float64)


# Weights differ by a tenth at least, so that what an axiom calls lower is lower by more than rounding.
weights = st.lists(st.integers(1, 60), min_size=2, max_size=9, unique=True).map(lambda w: vector(w) / 10)


def robin_hood(of: Of, w: Tensor, amount: float) -> bool:
    """From any weight to any smaller one, less than half of what is between them."""
    w = w.sort().values
    after = []
    for poor, rich in combinations(range(len(w)), 2):
        given_away = min(amount, 0.98) * (w[rich] - w[poor]) / 2
        after.append(w.index_add(0, tensor([poor, rich]), torch.stack([given_away, -given_away])))
    return all(of(v) < of(w) for v, (i, j) in zip(after, combinations(range(len(w)), 2), strict=True) if w[i] < w[j])


def scaling(of: Of, w: Tensor, amount: float) -> bool:
    return abs(of(w * (1 + amount)) - of(w)) < SLACK


def rising_tide(of: Of, w: Tensor, amount: float) -> bool:
    return of(w + amount) < of(w)


def cloning(of: Of, w: Tensor, _: float) -> bool:
    return abs(of(torch.cat([w, w])) - of(w)) < SLACK


def bill_gates(of: Of, w: Tensor, amount: float) -> bool:
    """Beyond 100 times the sum of all, a weight that grows raises the measure."""
    rich, richer = w.clone(), w.clone()
    rich[0] = 100 * w.sum()
    richer[0] = rich[0] * (1 + amount)
    return of(richer) > of(rich)


def babies(of: Of, w: Tensor, _: float) -> bool:
    return of(torch.cat([w, torch.zeros(1, dtype=w.dtype)])) > of(w)


HOLDS = dict(zip(AXIOMS, (robin_hood, scaling, rising_tide, cloning, bill_gates, babies), strict=True))
CASES = [(name, axiom) for name in MEASURES for axiom in AXIOMS]


@pytest.mark.parametrize(("name", "axiom"), [(n, a) for n, a in CASES if a in MEASURES[n].axioms])
def test_the_axioms_that_hold(name, axiom):
    @settings(max_examples=100, deadline=None, database=None)
    @given(weights, st.floats(0.1, 3))
    def check(w: Tensor, amount: float) -> None:
        assert HOLDS[axiom](lambda v: MEASURES[name].of(v).item(), w, amount)

    check()


EXAMPLES = [vector(w) for w in ([0.1, 0.2], [1, 2, 3], [0.5, 4, 5], [0.005, 1, 2], [0.1, 0.1, 6, 6], [3, 4, 5, 5, 5])]


@pytest.mark.parametrize(("name", "axiom"), [(n, a) for n, a in CASES if a not in MEASURES[n].axioms])
def test_the_others_do_not(name, axiom):
    tried = [HOLDS[axiom](lambda v: MEASURES[name].of(v).item(), w, x) for w in EXAMPLES for x in (0.1, 0.9, 3)]
    assert not all(tried)


def test_by_hand():
    w = tensor([0.0, 3, 4])
    assert hurley_rickard.l2_l1(w).item() == pytest.approx(5 / 7)
    assert hurley_rickard.kurtosis(w).item() == pytest.approx((81 + 256) / 625)
    assert hurley_rickard.negentropy(tensor([1.0, 1, 0, 0])).item() == pytest.approx(0.5)
    assert hurley_rickard.negative_log(tensor([1.0, 1])).item() == pytest.approx(-0.693147)
    assert hurley_rickard.l0_epsilon(tensor([[0.0, 0.125], [1, 2]]), 0.125).item() == 0.5


def test_bad_input():
    with pytest.raises(UserError, match=r"shape \[0\]: there are no weights"):
        hurley_rickard.kurtosis(torch.zeros(0))
    with pytest.raises(UserError, match="epsilon=-1 does not fit"):
        hurley_rickard.l0_epsilon(torch.ones(2), -1)
