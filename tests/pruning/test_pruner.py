"""Pruning on tensors small enough to do by hand."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.pruning import (
    GROUPINGS,
    Amount,
    Pruner,
    apply_masks,
    fixed_ratio_amount,
    full_masks,
    prune,
    remaining,
    sap_amount,
)

WEIGHTS = {
    "conv": torch.tensor([[[[0.1, -0.9]], [[0.4, 0.3]]], [[[-5.0, 6.0]], [[7.0, -8.0]]]]),
    "linear": torch.tensor([[0.2, -0.5, 1.5, 2.0]]),
}


def prune_counts(scope: str, count: int) -> dict[str, torch.Tensor]:
    pruner = Pruner(GROUPINGS[scope], lambda w, _: Amount(torch.full((len(w),), count)))
    return prune(pruner, WEIGHTS, full_masks(WEIGHTS, WEIGHTS)).masks


def test_neuron_scope_prunes_the_smallest_of_each_filter():
    masks = prune_counts("neuron", 1)
    assert masks["conv"].tolist() == [[[[False, True]], [[True, True]]], [[[False, True]], [[True, True]]]]
    assert masks["linear"].tolist() == [[False, True, True, True]]


def test_dim1_neurons_are_kernel_positions_over_the_input_channels():
    masks = prune_counts("neuron_dim1", 1)
    assert masks["conv"].tolist() == [[[[False, True]], [[True, False]]], [[[False, False]], [[True, True]]]]


def test_layer_scope_prunes_the_smallest_of_each_tensor():
    masks = prune_counts("layer", 2)
    assert masks["conv"].flatten().tolist() == [False, True, True, False, True, True, True, True]
    assert masks["linear"].tolist() == [[False, False, True, True]]


def test_global_scope_has_one_pivot_for_the_network():
    masks = prune_counts("global", 5)
    assert masks["conv"].flatten().tolist() == [False, True, False, False, True, True, True, True]
    assert masks["linear"].tolist() == [[False, False, True, True]]
    assert remaining(masks) == 12 - 5


def test_ties_at_the_pivot_are_kept():
    weights = {"w": torch.tensor([[1.0, 1.0, 1.0, 2.0]])}
    pruner = Pruner(GROUPINGS["layer"], lambda w, _: Amount(torch.full((len(w),), 2)))
    assert remaining(prune(pruner, weights, full_masks(weights, weights)).masks) == 4


def test_a_count_of_all_members_empties_the_group():
    weights = {"w": torch.tensor([[1.0, 2.0], [3.0, 4.0]])}
    pruner = Pruner(GROUPINGS["neuron"], lambda _w, _a: Amount(torch.tensor([2, 0])))
    assert prune(pruner, weights, full_masks(weights, weights)).masks["w"].tolist() == [
        [False, False],
        [True, True],
    ]


def test_apply_masks_zeroes_pruned_weights_and_passes_the_rest_on():
    state = {"w": torch.tensor([1.0, 2.0]), "b": torch.tensor([3.0])}
    masked = apply_masks(state, {"w": torch.tensor([True, False])})
    assert masked["w"].tolist() == [1.0, 0.0]
    assert masked["b"] is state["b"]


AMOUNTS = {
    "sap": partial(sap_amount, p=0.5, q=1.0),
    "sap_1_2_gamma_9": partial(sap_amount, p=1.0, q=2.0, gamma=9.0),
    "quantile": partial(fixed_ratio_amount, ratio=0.2),
    "floor": partial(fixed_ratio_amount, ratio=0.7, floor=True),
}


@pytest.mark.parametrize("scope", GROUPINGS)
@pytest.mark.parametrize("amount", AMOUNTS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), steps=st.integers(1, 6))
def test_masks_stay_nested_and_sap_keeps_a_weight_in_every_group(scope, amount, seed, steps):
    generator = torch.Generator().manual_seed(seed)
    weights = {"a": torch.randn(3, 4, 2, 2, generator=generator), "b": torch.randn(2, 5, generator=generator)}
    masks = full_masks(weights, weights)
    pruner = Pruner(GROUPINGS[scope], AMOUNTS[amount])
    for _ in range(steps):
        following = prune(pruner, weights, masks).masks
        assert all(not (following[name] & ~masks[name]).any() for name in masks)
        assert all(rows.any(dim=1).all() for rows in GROUPINGS[scope].split(following))
        masks = following
