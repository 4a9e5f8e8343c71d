"""The six axioms of sparsity and Theorem 2 as properties of random vectors."""

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, tensor

from src.sparsity import pq_index, retained_lower_bound

many = settings(max_examples=200, deadline=None)

weights = st.lists(st.floats(0.1, 10), min_size=2, max_size=12).map(lambda w: tensor(w, dtype=torch.float64))
exponents = st.tuples(st.floats(0.1, 3), st.floats(0.1, 2)).map(lambda pair: (pair[0], pair[0] + pair[1]))
# Robin Hood needs p <= 1 <= q: sum |w|^s is Schur-concave below 1 and Schur-convex above.
around_one = st.tuples(st.floats(0.1, 0.9), st.floats(1, 3)) | st.tuples(st.just(1.0), st.floats(1.1, 3))


def index(w: Tensor, pq: tuple[float, float]) -> float:
    return pq_index(w, *pq).item()


@many
@given(weights, around_one, st.floats(0.01, 0.49), st.data())
def test_robin_hood_lowers(w: Tensor, pq: tuple[float, float], share: float, data: st.DataObject) -> None:
    i, j = data.draw(st.permutations(range(len(w))))[:2]
    assume(w[i] - w[j] > 0.1)
    given_away = share * (w[i] - w[j])
    after = w.clone()
    after[i] -= given_away
    after[j] += given_away
    assert index(after, pq) < index(w, pq)


@many
@given(weights, exponents, st.floats(1e-6, 1e6))
def test_scaling_changes_nothing(w: Tensor, pq: tuple[float, float], factor: float) -> None:
    assert abs(index(w * factor, pq) - index(w, pq)) < 1e-13


@many
@given(weights, exponents, st.floats(0.1, 10))
def test_rising_tide_lowers(w: Tensor, pq: tuple[float, float], added: float) -> None:
    assume(w.max() - w.min() > 0.1)
    assert index(w + added, pq) < index(w, pq)


@many
@given(weights, exponents, st.integers(2, 5))
def test_cloning_changes_nothing(w: Tensor, pq: tuple[float, float], copies: int) -> None:
    assert abs(index(w.repeat(copies), pq) - index(w, pq)) < 1e-13


@many
@given(weights, exponents, st.floats(0.1, 10))
def test_bill_gates_raises(w: Tensor, pq: tuple[float, float], earned: float) -> None:
    rich = w.clone()
    rich[0] = w.max() + 0.1
    richer = rich.clone()
    richer[0] += earned
    assert index(richer, pq) > index(rich, pq)


@many
@given(weights, exponents, st.integers(1, 5))
def test_babies_raise(w: Tensor, pq: tuple[float, float], babies: int) -> None:
    assert index(torch.cat([w, w.new_zeros(babies)]), pq) > index(w, pq)


@many
@given(weights, exponents)
def test_range(w: Tensor, pq: tuple[float, float]) -> None:
    p, q = pq
    assert 0 <= index(w, pq) <= 1 - len(w) ** (1 / q - 1 / p) + 1e-15


@many
@given(weights, exponents)
def test_theorem_2_bounds_every_number_of_retained_weights(w: Tensor, pq: tuple[float, float]) -> None:
    p, q = pq
    powers = w.sort(descending=True).values ** p
    pqi = pq_index(w, p, q)
    for r in range(1, len(w) + 1):
        eta_r = (powers[r:].sum() / powers[:r].sum()).item()
        bound = retained_lower_bound(pqi, len(w), p, q, eta_r, ceil=False).item()
        assert r >= bound * (1 - 1e-12)


@many
@given(st.integers(1, 8), st.integers(0, 8), st.floats(0.3, 3), st.floats(0.1, 2))
def test_theorem_2_is_tight_for_equal_weights_among_zeros(alive: int, zeros: int, p: float, gap: float) -> None:
    w = torch.cat([torch.ones(alive), torch.zeros(zeros)])
    bound = retained_lower_bound(pq_index(w, p, p + gap), alive + zeros, p, p + gap, ceil=False).item()
    # p >= 0.3 keeps 1 - I >= 1e-4, so the float64 index still holds enough digits of it
    assert abs(bound - alive) < 1e-9
