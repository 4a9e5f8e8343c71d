"""Algorithm 1 with trainings made by hand: which weights decide, which are measured, what is carried over."""

from collections.abc import Iterator
from functools import partial

import pytest
import torch

from src.pruning import GROUPINGS, Amount, Pruner, fixed_ratio_amount, remaining
from src.requests import Epoch, EvaluateRequest, Performance, Record, Trained, TrainRequest
from src.trajectory import Layout, Plan, trajectory

LAYOUT = Layout(["w"], ["mean"])
INITIAL = {"w": torch.ones(1, 10), "b": torch.zeros(1), "mean": torch.zeros(1)}
ONE = Pruner(GROUPINGS["layer"], lambda w, _: Amount(torch.ones(len(w), dtype=torch.int64)))
ONE_SHOT = Pruner(ONE.grouping, ONE.amount, one_shot=True)


def state(order: list[int], mean: float) -> dict[str, torch.Tensor]:
    """Weights whose magnitudes rise in the given order of positions."""
    w = torch.empty(1, 10)
    w[0, torch.tensor(order)] = torch.arange(1.0, 11.0)
    return {"w": w, "b": torch.zeros(1), "mean": torch.tensor([mean])}


def trained(iteration: int) -> Trained:
    """Best and last checkpoints that would prune different weights: best from the front, last from the back."""
    epochs = [
        Epoch(e, 0.1, *(Performance(1.0, 10.0 * iteration + e) for _ in ("train", "test", "selection")))
        for e in range(2)
    ]
    forward = list(range(10))
    return Trained(state(forward, iteration + 0.25), state(forward[::-1], iteration + 0.75), 0, epochs)


def play(plan: Plan, start=None) -> Iterator[TrainRequest | EvaluateRequest | Record]:
    """All that a trajectory yields, answered by `trained`."""
    steps, answer = trajectory(plan, INITIAL, LAYOUT, start), None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            return
        yield request
        match request:
            case TrainRequest():
                answer = trained(request.iteration)
            case EvaluateRequest():
                answer = Performance(2.0, 50.0)
            case _:
                answer = None


def records(plan: Plan, start=None) -> list[Record]:
    return [request for request in play(plan, start) if isinstance(request, Record)]


def pruned_positions(record: Record) -> list[int]:
    return (~record.masks["w"][0]).nonzero().flatten().tolist()


def test_iterations_and_counts():
    result = records(Plan(3, ONE))
    assert [r.iteration for r in result] == [0, 1, 2, 3]
    assert [remaining(r.masks) for r in result] == [10, 9, 8, 7]
    assert result[-1].step is None
    assert result[-1].following is None


def test_the_best_epoch_decides_and_the_last_is_measured():
    first, second = records(Plan(1, ONE))
    assert pruned_positions(second) == [0]
    assert first.evaluated.epoch == 1
    assert first.measures.d_global == 10


def test_the_last_epoch_decides_where_the_protocol_says_so():
    assert pruned_positions(records(Plan(1, ONE, decides="last"))[1]) == [9]


def test_evaluated_checkpoints_in_general_and_in_the_final_iteration():
    assert [r.evaluated.epoch for r in records(Plan(2, ONE, evaluated_last="best"))] == [1, 1, 0]
    assert [r.evaluated.epoch for r in records(Plan(2, ONE, evaluated="best", evaluated_last="best"))] == [0, 0, 0]


def test_one_shot_takes_the_first_mask_from_the_best_and_later_ones_from_the_last_dense_epoch():
    result = records(Plan(3, ONE_SHOT))
    assert [pruned_positions(r) for r in result] == [[], [0], [0, 9], [0, 8, 9]]


@pytest.mark.parametrize(("source", "expected"), [("best", [0, 1, 2]), ("last", [7, 8, 9])])
def test_one_shot_with_one_source(source, expected):
    plan = Plan(3, ONE_SHOT, decides=source, one_shot_decides=source)
    assert pruned_positions(records(plan)[-1]) == expected


def test_one_shot_evaluates_the_pruned_dense_network():
    evaluations = [r.state["mean"].item() for r in play(Plan(2, ONE_SHOT)) if isinstance(r, EvaluateRequest)]
    assert evaluations == [0.75, 0.75]
    own = [r.state["mean"].item() for r in play(Plan(2, ONE)) if isinstance(r, EvaluateRequest)]
    assert own == [0.75, 1.75]


def test_pruned_states_have_zeros_where_the_next_mask_says_so():
    evaluated = next(r for r in play(Plan(1, ONE)) if isinstance(r, EvaluateRequest))
    assert evaluated.state["w"][0, 0] == 0
    assert (evaluated.state["w"] != 0).sum() == 9


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (Plan(2, ONE), [0.0, 0.25, 1.25]),
        (Plan(2, ONE_SHOT), [0.0, 0.25, 0.75]),
        (Plan(2, ONE, reset_buffers=True), [0.0, 0.0, 0.0]),
    ],
)
def test_buffers_follow_the_deciding_checkpoint_unless_they_are_rewound(plan, expected):
    assert [r.buffers["mean"].item() for r in play(plan) if isinstance(r, TrainRequest)] == expected


def test_dense_is_one_training():
    result = list(play(Plan(0, None)))
    assert [type(r) for r in result] == [TrainRequest, Record]


@pytest.mark.parametrize("pruner", [ONE, ONE_SHOT])
def test_going_on_from_a_position_repeats_nothing_and_gives_the_same_records(pruner):
    whole = records(Plan(4, pruner))
    rest = records(Plan(4, pruner), whole[1].following)
    assert [r.iteration for r in rest] == [2, 3, 4]
    for expected, found in zip(whole[2:], rest, strict=True):
        assert torch.equal(expected.masks["w"], found.masks["w"])
        assert torch.equal(expected.measures.pqi_layer, found.measures.pqi_layer)


def test_masks_are_nested_and_groups_keep_a_weight():
    pruner = Pruner(GROUPINGS["layer"], partial(fixed_ratio_amount, ratio=0.5))
    counts = [remaining(r.masks) for r in records(Plan(6, pruner))]
    assert counts == [10, 5, 3, 2, 1, 1, 1]
