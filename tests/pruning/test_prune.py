"""Pruning on tensors small enough to do by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.config.protocol import FixedRatioProtocol, ProtocolConfig
from src.errors import UserError
from src.pruning.amounts import Amount
from src.pruning.masks import apply_masks, full_masks, remaining
from src.pruning.method import Method
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.pruning.methods.sap import Sap
from src.pruning.prune import prune
from src.pruning.scopes import GROUPINGS

REFERENCE = ProtocolConfig()
FLATTENED = ProtocolConfig(fixed_ratio=FixedRatioProtocol(neuron_group="flattened"))
WEIGHTS = {
    "conv": torch.tensor([[[[0.1, -0.9]], [[0.4, 0.3]]], [[[-5.0, 6.0]], [[7.0, -8.0]]]]),
    "linear": torch.tensor([[0.2, -0.5, 1.5, 2.0]]),
}


def fixed(*counts: int, scope: str) -> Method:
    """A method that prunes given numbers of weights."""

    class Fixed(Method):
        def amount(self, weights, alive, iteration, protocol):
            return Amount(torch.tensor(counts * len(weights) if len(counts) == 1 else counts))

    return Fixed(scope=scope)


def magnitude_pruned(method: Method, weights=WEIGHTS, masks=None, protocol=REFERENCE) -> dict[str, torch.Tensor]:
    scores = {name: w.abs() for name, w in weights.items()}
    return prune(method, protocol, weights, scores, masks or full_masks(weights, weights)).masks


def test_neuron_scope_prunes_the_smallest_of_each_filter():
    masks = magnitude_pruned(fixed(1, scope="neuron"))
    assert masks["conv"].tolist() == [[[[False, True]], [[True, True]]], [[[False, True]], [[True, True]]]]
    assert masks["linear"].tolist() == [[False, True, True, True]]


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        (REFERENCE, [[[[False, True]], [[True, False]]], [[[False, False]], [[True, True]]]]),  # A7
        (FLATTENED, [[[[False, True]], [[True, False]]], [[[False, False]], [[True, True]]]]),
    ],
)
def test_lottery_tickets_neurons_are_kernel_positions_unless_the_protocol_flattens(protocol, expected):
    masks = magnitude_pruned(LotteryTicket(scope="neuron", ratio=0.5), protocol=protocol)
    assert masks["conv"].tolist() == expected


def test_layer_scope_prunes_the_smallest_of_each_tensor():
    masks = magnitude_pruned(fixed(2, scope="layer"))
    assert masks["conv"].flatten().tolist() == [False, True, True, False, True, True, True, True]
    assert masks["linear"].tolist() == [[False, False, True, True]]


def test_global_scope_has_one_pivot_for_the_network():
    masks = magnitude_pruned(fixed(5, scope="global"))
    assert masks["conv"].flatten().tolist() == [False, True, False, False, True, True, True, True]
    assert masks["linear"].tolist() == [[False, False, True, True]]
    assert remaining(masks) == 12 - 5


def test_ties_at_the_pivot_are_kept():
    weights = {"w": torch.tensor([[1.0, 1.0, 1.0, 2.0]])}
    assert remaining(magnitude_pruned(fixed(2, scope="layer"), weights)) == 4


def test_a_count_of_all_members_empties_the_group():
    weights = {"w": torch.tensor([[1.0, 2.0], [3.0, 4.0]])}
    assert magnitude_pruned(fixed(2, 0, scope="neuron"), weights)["w"].tolist() == [[False, False], [True, True]]


def test_the_lowest_scores_go_whatever_the_weights():
    weights = {"w": torch.tensor([[1.0, 2.0, 3.0]])}
    masks = prune(
        fixed(1, scope="layer"),
        REFERENCE,
        weights,
        {"w": torch.tensor([[5.0, 4.0, 9.0]])},
        full_masks(weights, weights),
    )
    assert masks.masks["w"].tolist() == [[True, False, True]]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "prune.score gave nothing for w"),
        ({"w": torch.ones(3)}, r"prune.score gave shape \[3\] for w"),
        ({"w": torch.tensor([[1.0, torch.nan, 1.0]])}, "prune.score gave NaN for w"),
    ],
)
def test_scores_that_are_none_are_refused(scores, message):
    weights = {"w": torch.ones(1, 3)}
    with pytest.raises(UserError, match=message):
        prune(fixed(1, scope="layer"), REFERENCE, weights, scores, full_masks(weights, weights))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_diverged_weights_decide_nothing_whatever_the_score(bad):
    weights = {"w": torch.tensor([[1.0, bad, 3.0]])}
    scores, full = {"w": torch.ones(1, 3)}, full_masks(weights, weights)
    with pytest.raises(UserError, match=r"weights of w are NaN or infinite.*lower trainer.lr"):
        prune(fixed(1, scope="layer"), REFERENCE, weights, scores, full)
    assert prune(fixed(1, scope="layer"), REFERENCE, weights, scores, {"w": torch.tensor([[True, False, True]])})


def test_nan_of_a_pruned_weight_does_not_matter():
    weights = {"w": torch.ones(1, 3)}
    masks = {"w": torch.tensor([[True, False, True]])}
    scores = {"w": torch.tensor([[1.0, torch.nan, 2.0]])}
    assert prune(fixed(1, scope="layer"), REFERENCE, weights, scores, masks).masks["w"].tolist() == [
        [False, False, True]
    ]


def test_amounts_that_do_not_fit_the_groups_are_refused():
    with pytest.raises(UserError, match=r"Fixed.amount gave Amount\(count=tensor\(\[1, 1\]\).* for 1 groups"):
        magnitude_pruned(fixed(1, 1, scope="global"))


@pytest.mark.parametrize("scope", ["neuron", "layer", "global"])
def test_what_a_method_writes_into_its_mask_prunes_nothing(monkeypatch, scope):
    monkeypatch.setattr(Giving, "amount", lambda *given: Amount(given[2].zero_().sum(dim=1)))
    assert remaining(magnitude_pruned(Giving(scope=scope))) == 12


class Giving(Method):
    """A method whose amount is what it is told."""

    amount = None


@pytest.mark.parametrize("scope", ["neuron", "global"])
@pytest.mark.parametrize("gives", [
    lambda n: Amount(torch.full((n,), torch.nan)), lambda n: Amount(torch.ones(n)),
    lambda n: Amount(torch.ones(n, dtype=torch.bool)), lambda n: Amount(-torch.ones(n, dtype=torch.int64)),
    lambda n: Amount([1] * n), lambda n: torch.ones(n, dtype=torch.int64), lambda _: 1, lambda _: None,
])  # fmt: skip
def test_amounts_are_whole_numbers(monkeypatch, scope, gives):
    monkeypatch.setattr(Giving, "amount", lambda _, weights, *__: gives(len(weights)))
    with pytest.raises(UserError, match=r"Giving\.amount gave .*; it must give an Amount whose count is"):
        magnitude_pruned(Giving(scope=scope))


@pytest.mark.parametrize("scope", ["neuron", "global"])
def test_whole_numbers_may_be_small_ones(monkeypatch, scope):
    monkeypatch.setattr(Giving, "amount", lambda _, w, *__: Amount(torch.ones(len(w), dtype=torch.int32)))
    assert remaining(magnitude_pruned(Giving(scope=scope))) == remaining(magnitude_pruned(fixed(1, scope=scope)))


def test_apply_masks_zeroes_pruned_weights_and_passes_the_rest_on():
    state = {"w": torch.tensor([1.0, 2.0]), "b": torch.tensor([3.0])}
    masked = apply_masks(state, {"w": torch.tensor([True, False])})
    assert masked["w"].tolist() == [1.0, 0.0]
    assert masked["b"] is state["b"]


METHODS = {
    "sap": lambda scope: Sap(scope=scope),
    "sap_1_2_gamma_9": lambda scope: Sap(scope=scope, p=1.0, q=2.0, gamma=9.0),
    "sap_gini": lambda scope: Sap(scope=scope, measure="gini"),
    "sap_hoyer": lambda scope: Sap(scope=scope, measure="hoyer"),
    "lottery_ticket": lambda scope: LotteryTicket(scope=scope),
}


@pytest.mark.parametrize("scope", ["neuron", "layer", "global"])
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), steps=st.integers(1, 6))
def test_masks_stay_nested_and_every_group_keeps_a_weight(scope, method, seed, steps):
    generator = torch.Generator().manual_seed(seed)
    weights = {"a": torch.randn(3, 4, 2, 2, generator=generator), "b": torch.randn(2, 5, generator=generator)}
    masks = full_masks(weights, weights)
    made = METHODS[method](scope)
    for _ in range(steps):
        following = magnitude_pruned(made, weights, masks)
        assert all(not (following[name] & ~masks[name]).any() for name in masks)
        assert all(rows.any(dim=1).all() for rows in GROUPINGS[scope].split(following))
        masks = following
