"""Whatever tensor is given: a defined index, or one message that names it."""

import math
import warnings
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, tensor

from src.errors import UserError
from src.sparsity import gini_index, measure, pq_index
from src.sparsity.hoyer import hoyer_index

INDICES: dict[str, Callable[..., Tensor]] = {
    "pq": lambda w, mask=None, dim=None: pq_index(w, 0.5, 1, mask, dim),
    "gini": gini_index,
    "hoyer": hoyer_index,
}
each_index = pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.int16, torch.int32, torch.int64]


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        (torch.int8, [-128, 0, 0, 0], (0.75, 0.75, 1)),
        (torch.int8, [-128, -128], (0, 0, 0)),
        (torch.int64, [-(2**63), 0], (0.5, 0.5, 1)),
        (torch.uint8, [255, 0], (0.5, 0.5, 1)),
        (torch.bool, [True, False], (0.5, 0.5, 1)),
        (torch.float16, [65504, 65504, 0, 0], (0.5, 0.5, 2 - math.sqrt(2))),
        (torch.bfloat16, [3e38, 0, 0, 0], (0.75, 0.75, 1)),
        (torch.float64, [1e308, -1e308, 1e308], (0, 0, 0)),
    ],
)
def test_every_type_at_the_ends_of_its_range(dtype: torch.dtype, values: list[float], expected: tuple[float]) -> None:
    found = [index(tensor(values, dtype=dtype)).item() for index in INDICES.values()]
    assert found == pytest.approx(expected, abs=1e-6)


@each_index
@pytest.mark.parametrize(
    "w",
    [
        torch.ones(3, dtype=torch.complex64),
        torch.ones(3).to(torch.float8_e4m3fn),
        torch.ones(3).to(torch.float8_e5m2),
        torch.eye(3).to_sparse(),
        torch.ones(3).numpy(),
        [1.0, 2.0],
    ],
    ids=["complex", "float8", "other float8", "sparse", "array", "list"],
)
def test_what_is_no_tensor_of_real_numbers_is_named(index: Callable[..., Tensor], w: Tensor) -> None:
    with pytest.raises(UserError, match=r"w is of type .*it must be a dense tensor of float16.*convert it"):
        index(w)


@each_index
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_nan_and_infinity_count_where_masked_only(index: Callable[..., Tensor], bad: float, dtype: torch.dtype) -> None:
    w = tensor([[4, bad, 2, 1], [5, 6, 7, bad]], dtype=dtype)
    with pytest.raises(UserError, match=r"w: 2 of 8 weights are alive and NaN or infinite.*lower trainer.lr"):
        index(w, dim=1)
    found = index(w, w.isfinite(), 1)
    assert found.tolist() == [index(row[row.isfinite()]).item() for row in w]
    with pytest.raises(UserError, match="1 of 1 weights"):
        index(w[0, 1:2])  # a group of one has index 0 otherwise


def test_measure_names_the_layer_that_diverged() -> None:
    weights = {"first": torch.ones(2, 3), "second": torch.tensor([[1.0, math.inf]])}
    masks = {name: torch.ones_like(w, dtype=torch.bool) for name, w in weights.items()}
    with pytest.raises(UserError, match="second: 1 of 2 weights"):
        measure(weights, masks)
    masks["second"][0, 1] = False
    assert measure(weights, masks).d_layer.tolist() == [6, 1]
    with pytest.raises(UserError, match=r"first is of type torch.complex64"):
        measure({"first": weights["first"] + 1j}, {"first": masks["first"]})


@each_index
@pytest.mark.parametrize("dim", [2, -3, (0, 2), (0, 0), (1, -1), 10**400, True, 1.0, "1", (None,)])
def test_dimensions_that_there_are_not_are_named(index: Callable[..., Tensor], dim: int) -> None:
    with pytest.raises(UserError, match=r"dim=.* is not allowed: choose different ones of -2 to 1, or None for all"):
        index(torch.ones(2, 3), dim=dim)


@each_index
@pytest.mark.parametrize(
    ("shape", "dim", "expected"),
    [
        ((0, 3), 1, (0,)),
        ((3, 0), 0, (0,)),
        ((0, 0), 0, (0,)),
        ((0, 2, 3), (1, 2), (0,)),
        ((0, 2, 3), (), (0, 2, 3)),
        ((2, 3), (), (2, 3)),
        ((), 0, ()),
        ((), (), ()),
        ((1, 1), 1, (1,)),
    ],
)
def test_groups_of_one_and_no_groups(
    index: Callable[..., Tensor], shape: tuple[int, ...], dim: int, expected: tuple[int, ...]
) -> None:
    found = index(torch.full(shape, 3.0), dim=dim)
    assert (found.shape, found.dtype) == (expected, torch.float64)
    assert (found == 0).all()


@pytest.mark.parametrize(("shape", "dim"), [((0, 3), 0), ((3, 0), 1), ((0,), None), ((0,), 0), ((3, 2, 0), (1, 2))])
def test_groups_without_weights(shape: tuple[int, ...], dim: int) -> None:
    pq, gini, hoyer = (index(torch.ones(shape), dim=dim) for index in INDICES.values())
    assert pq.shape == gini.shape == hoyer.shape == ((3,) if len(shape) > 1 else ())
    assert (pq == 0).all()
    assert gini.isnan().all()
    assert (hoyer == 0).all()


@pytest.mark.parametrize("shape", [(2, 3), (4, 1), (3, 2, 2, 2)])
def test_a_network_without_weights(shape: tuple[int, ...]) -> None:
    found = measure({"w": torch.ones(shape)}, {"w": torch.zeros(shape, dtype=torch.bool)}, neurons=True)
    assert (found.pqi_global == 0).all()
    assert (found.pqi_neuron == 0).all()
    assert found.gini_global.isnan()
    assert (found.d_global, found.d_neuron.sum()) == (0, 0)


@each_index
def test_groups_above_2_to_24_weights(index: Callable[..., Tensor]) -> None:
    w = torch.ones(2**24 + 2)
    w[::2] = 0
    d = len(w)
    expected = (math.sqrt(d) - math.sqrt(d / 2)) / (math.sqrt(d) - 1) if index is hoyer_index else 0.5
    assert index(w).item() == pytest.approx(expected, abs=1e-6)


tensors = st.tuples(
    st.lists(st.integers(0, 4), max_size=3),
    st.sampled_from(TYPES),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1e-300, 1e-20, 1e-3, 1.0, 50.0]),
)


def drawn(shape: list[int], dtype: torch.dtype, seed: int, scale: float) -> Tensor:
    """Gaussian weights with ties and zeros."""
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return ((noise * 2).round() / 2 * scale).to(dtype)


@settings(max_examples=300, deadline=None)
@given(tensors, st.none() | st.integers(-4, 4) | st.lists(st.integers(-4, 4), max_size=3).map(tuple), st.booleans())
def test_any_real_tensor_has_an_index_in_range_or_a_message(
    drawing: tuple[list[int], torch.dtype, int, float], dim: int | tuple[int, ...] | None, masked: bool
) -> None:
    w = drawn(*drawing)
    mask = drawn(drawing[0], torch.float64, 1, 1.0) > 0 if masked else None
    for index in INDICES.values():
        try:
            found = index(w, mask, dim)
        except UserError:
            with pytest.raises((IndexError, RuntimeError)):  # there is no such dimension, or it is named twice
                w.sum(dim)
            continue
        assert dim in (None, ()) or found.shape == w.sum(dim).shape
        assert ((found >= 0) & (found <= 1) | found.isnan()).all()
        if w.dim() > 1:
            assert torch.equal(index(w.mT.contiguous().mT, mask, dim).nan_to_num(-1), found.nan_to_num(-1))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.sampled_from(TYPES[:4]), st.integers(0, 2**32 - 1))
def test_memory_layout_and_type_change_no_measure(a: int, b: int, c: int, dtype: torch.dtype, seed: int) -> None:
    plain = drawn([a, b, c, c], dtype, seed, 1.0)
    mask = drawn([a, b, c, c], torch.float64, seed + 1, 1.0) > -1
    expected = measure({"w": plain.double()}, {"w": mask})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure({"w": plain.to(memory_format=torch.channels_last)}, {"w": mask})
    assert torch.allclose(found.pqi_global, expected.pqi_global, rtol=1e-12, atol=1e-14, equal_nan=True)
    assert torch.allclose(found.gini_neuron, expected.gini_neuron, rtol=1e-6, atol=1e-6, equal_nan=True)
    assert torch.equal(found.d_neuron, expected.d_neuron)
