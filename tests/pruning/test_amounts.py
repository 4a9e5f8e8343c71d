"""Amounts against the protocol's tables (1.7 and 8.1)."""

import pytest
import torch

from src.config.protocol import ProtocolConfig
from src.pruning.amounts import fixed_ratio_amount, sap_amount, sap_count
from src.pruning.methods.scheduled import Scheduled
from src.sparsity import retained_lower_bound


def sap_row(d: int, pqi: float, p: float, q: float, eta_r: float, gamma: float, exact: bool) -> tuple[int, int]:
    size = torch.tensor([d])
    dtype = torch.float64 if exact else torch.float32
    bound = retained_lower_bound(torch.tensor([pqi]), size, p, q, eta_r, dtype=dtype)
    return int(bound), int(sap_count(size, bound, gamma=gamma))


@pytest.mark.parametrize(
    ("d", "pqi", "p", "q", "eta_r", "gamma", "bound", "float32", "exact"),
    [
        (27, 0.155, 0.5, 1, 0, 1, 23, 3, 4),
        (27, 0.02, 0.5, 1, 0, 1, 27, 0, 0),
        (10, 0.3, 0.5, 1, 0, 1, 7, 3, 3),
        (2, 0.4, 0.5, 1, 0, 1, 2, 0, 0),
        (512, 0.155, 0.5, 1, 0, 1, 433, 79, 79),
        (1728, 0.19, 0.5, 1, 0, 1, 1400, 328, 328),
        (1_555_136, 0.31, 0.5, 1, 0, 1, 1_073_044, 482_091, 482_092),
        (1_555_136, 0.517, 1, 2, 0, 1, 362_797, 1_192_339, 1_192_339),
        (1_555_136, 0.31, 0.5, 1, 0.1, 1, 886_814, 668_321, 668_322),
        (1_555_136, 0.31, 0.5, 1, 1, 1, 268_261, 1_286_875, 1_286_875),
        (1_555_136, 0.31, 0.5, 1, 0, 3, 1_073_044, 1_399_622, 1_399_622),
        (100, 0.05, 0.5, 1, 0, 3, 95, 15, 15),
    ],
)
def test_sap_counts_of_the_protocol(d, pqi, p, q, eta_r, gamma, bound, float32, exact):
    assert sap_row(d, pqi, p, q, eta_r, gamma, exact=False) == (bound, float32)
    assert sap_row(d, pqi, p, q, eta_r, gamma, exact=True) == (bound, exact)


def test_float32_leaves_small_groups_stuck_when_the_bound_is_one_below():
    d = torch.arange(2, 130)
    stuck = sap_count(d, (d - 1).float()) == 0
    assert int(stuck.sum()) == 73
    first = [3, 5, 7, 9, 11, 12, 13, 15, 17, 19, 21, 23, 27, 28]
    assert all(stuck[n - 2] for n in first)
    assert not (sap_count(d, (d - 1).double()) == 0)[d > 10].any()


def test_beta_caps_the_share_pruned_like_integer_arithmetic():
    d = torch.tensor([1, 2, 3, 5, 9, 10, 11, 20, 100, 1000])
    expected = [0, 1, 2, 4, 8, 9, 9, 18, 90, 900]
    for dtype in (torch.float32, torch.float64):
        assert sap_count(d, torch.zeros(len(d), dtype=dtype), gamma=9.0).tolist() == expected


def test_sap_prunes_nothing_of_empty_and_all_zero_groups():
    weights = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    alive = torch.tensor([[False, False, False], [True, True, True]])
    assert sap_amount(weights, alive, p=0.5, q=1.0).count.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("n", "sequence"),
    [
        (27, [21, 17, 13, 10, 8, 6, 5, 4, 3, 2, 1, 1]),
        (64, [51, 41, 33, 26, 21, 17, 13, 10, 8, 6, 5, 4, 3, 2, 1]),
        (512, [409, 327, 261, 209, 167, 133, 106, 85, 68, 54, 43, 34, 27, 21, 17]),
        (1_555_136, [1_244_109, 995_287, 796_229]),
    ],
)
def test_quantile_rule_gives_the_protocols_sequences(n, sequence):
    for expected in sequence:
        alive = (torch.arange(max(n, 2)) < n)[None]
        n -= int(fixed_ratio_amount(alive, 0.2).count)
        assert n == expected


def test_floor_rule_prunes_exactly_the_share():
    alive = torch.arange(10)[None] < torch.tensor([[10], [4], [0]])
    count = fixed_ratio_amount(alive, 0.2, floor=True).count
    assert count.tolist() == [2, 0, 0]


def test_a_schedule_has_a_ratio_for_each_iteration_and_one_after_them():
    weights, alive = torch.ones(1, 101), torch.ones(1, 101, dtype=torch.bool)
    method = Scheduled(ratio=0.2, ratios=[0.5, 0.0])
    counts = [int(method.amount(weights, alive, t, ProtocolConfig()).count) for t in range(4)]
    assert counts == [50, 0, 20, 20]
