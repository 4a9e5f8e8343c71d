"""Algorithm 1 with trainings made by hand: which weights decide, which are measured, what is carried over."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from src.config.part import setting
from src.config.protocol import (
    DecisionProtocol,
    EvalProtocol,
    OneShotProtocol,
    ProtocolConfig,
    RewindProtocol,
)
from src.errors import UserError
from src.messages import (
    Epoch,
    EvaluateRequest,
    InitialiseRequest,
    Performance,
    ScoreRequest,
    Trained,
    TrainRequest,
    Upcoming,
)
from src.pruning.amounts import Amount
from src.pruning.masks import remaining
from src.pruning.method import Method
from src.pruning.methods.at_initialisation import AtInitialisation
from src.pruning.methods.dense import Dense
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.pruning.rewinding import FineTune, Fresh, Rewind, ToEpoch
from src.pruning.scores import Random, Score
from src.trajectory import Layout, Plan, Record, rehearsal, trajectory

LAYOUT = Layout(["w"], ["mean"])
INITIAL = {"w": torch.ones(1, 10), "b": torch.zeros(1), "mean": torch.zeros(1)}
LAYER = "layer"


@dataclass(frozen=True)
class One(Method):
    """Prunes one weight of each group."""

    def amount(self, weights, alive, iteration, protocol):
        return Amount(torch.ones(len(weights), dtype=torch.int64))


@dataclass(frozen=True)
class OneOfTheDense(One):
    decided_on: ClassVar[str] = "dense"


@dataclass(frozen=True)
class OneAtInitialisation(One):
    decided_on: ClassVar[str] = "initialisation"


def plan(iterations: int, method=One, protocol: ProtocolConfig | None = None, **settings) -> Plan:
    made = method(scope=LAYER, iterations=iterations, **settings)
    return Plan(made, protocol or ProtocolConfig(), seed=3)


def state(order: list[int], mean: float) -> dict[str, torch.Tensor]:
    """Weights whose magnitudes rise in the given order of positions."""
    w = torch.empty(1, 10)
    w[0, torch.tensor(order)] = torch.arange(1.0, 11.0)
    return {"w": w, "b": torch.zeros(1), "mean": torch.tensor([mean])}


def trained(request: TrainRequest) -> Trained:
    """Best and last checkpoints that would prune different weights: best from the front, last from the back."""
    t = request.iteration
    epochs = [
        Epoch(e, 0.1, *(Performance(1.0, 10.0 * t + e) for _ in ("train", "test", "selection")))
        for e in range(request.first_epoch, request.until or 4)
    ]
    forward = list(range(10))
    return Trained(state(forward, t + 0.25), state(forward[::-1], t + 0.75), request.first_epoch, epochs)


def play(plan: Plan, start=None, announce=False) -> Iterator[object]:
    """All that a trajectory yields, answered by hand; scores of a network are its weights' positions."""
    steps, answer = trajectory(plan, INITIAL, LAYOUT, start, announce), None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            return
        yield request
        match request:
            case TrainRequest():
                answer = trained(request)
            case EvaluateRequest():
                answer = Performance(2.0, 50.0)
            case InitialiseRequest():
                answer = {**INITIAL, "w": torch.full((1, 10), float(request.draw))}
            case ScoreRequest():
                answer = {"w": torch.arange(10.0)[None]}
            case _:
                answer = None


def records(*arguments, **named) -> list[Record]:
    return [request for request in play(*arguments, **named) if isinstance(request, Record)]


def trainings(*arguments) -> list[TrainRequest]:
    return [request for request in play(*arguments) if isinstance(request, TrainRequest)]


def pruned_positions(record: Record | TrainRequest) -> list[int]:
    return (~record.masks["w"][0]).nonzero().flatten().tolist()


def test_iterations_and_counts():
    result = records(plan(3))
    assert [r.iteration for r in result] == [0, 1, 2, 3]
    assert [remaining(r.masks) for r in result] == [10, 9, 8, 7]
    assert result[-1].step is None


def test_the_best_epoch_decides_and_the_last_is_measured():
    first, second = records(plan(1))
    assert pruned_positions(second) == [0]
    assert first.evaluated.epoch == 3
    assert first.measures.d_global == 10


def test_the_last_epoch_decides_where_the_protocol_says_so():
    protocol = ProtocolConfig(decision=DecisionProtocol(checkpoint="last"))
    assert pruned_positions(records(plan(1, protocol=protocol))[1]) == [9]


def test_evaluated_checkpoints_in_general_and_in_the_final_iteration():
    final = ProtocolConfig(eval=EvalProtocol(final_iteration="best"))
    every = ProtocolConfig(eval=EvalProtocol(checkpoint="best"))
    assert [r.evaluated.epoch for r in records(plan(2, protocol=final))] == [3, 3, 0]
    assert [r.evaluated.epoch for r in records(plan(2, protocol=every))] == [0, 0, 0]


def test_one_shot_takes_the_first_mask_from_the_best_and_later_ones_from_the_last_dense_epoch():
    result = records(plan(3, OneOfTheDense))
    assert [pruned_positions(r) for r in result] == [[], [0], [0, 9], [0, 8, 9]]


@pytest.mark.parametrize(("source", "expected"), [("best", [0, 1, 2]), ("last", [7, 8, 9])])
def test_one_shot_with_one_source(source, expected):
    protocol = ProtocolConfig(one_shot=OneShotProtocol(source=source))
    assert pruned_positions(records(plan(3, OneOfTheDense, protocol))[-1]) == expected


def test_one_shot_evaluates_the_pruned_dense_network():
    def means(method):
        return [r.state["mean"].item() for r in play(plan(2, method)) if isinstance(r, EvaluateRequest)]

    assert means(OneOfTheDense) == [0.75, 0.75]
    assert means(One) == [0.75, 1.75]


def test_pruned_states_have_zeros_where_the_next_mask_says_so():
    evaluated = next(r for r in play(plan(1)) if isinstance(r, EvaluateRequest))
    assert evaluated.state["w"][0, 0] == 0
    assert (evaluated.state["w"] != 0).sum() == 9


RESET = ProtocolConfig(rewind=RewindProtocol(bn_buffers="reset"))


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (plan(2), [0.0, 0.25, 1.25]),
        (plan(2, OneOfTheDense), [0.0, 0.25, 0.75]),
        (plan(2, protocol=RESET), [0.0, 0.0, 0.0]),
    ],
)
def test_buffers_follow_the_deciding_checkpoint_unless_they_are_rewound(chosen, expected):
    assert [r.start["mean"].item() for r in trainings(chosen)] == expected


def test_dense_is_one_training_whatever_the_iterations():
    result = list(play(plan(5, Dense)))
    assert [type(r) for r in result] == [TrainRequest, Record]


@pytest.mark.parametrize("method", [One, OneOfTheDense, OneAtInitialisation])
@pytest.mark.parametrize("rewind", [ToEpoch(), ToEpoch(2), FineTune(), Fresh()], ids=lambda rule: rule.short)
def test_going_on_from_a_record_repeats_nothing_and_gives_the_same_records(method, rewind):
    whole = records(plan(4, method, rewind=rewind))
    rest = records(plan(4, method, rewind=rewind), whole[1].step.following)
    assert [r.iteration for r in rest] == [2, 3, 4]
    for expected, found in zip(whole[2:], rest, strict=True):
        assert torch.equal(expected.masks["w"], found.masks["w"])
        assert torch.equal(expected.request.start["w"], found.request.start["w"])
        assert torch.equal(expected.measures.pqi_layer, found.measures.pqi_layer)


def test_masks_are_nested_and_groups_keep_a_weight():
    counts = [remaining(r.masks) for r in records(plan(6, LotteryTicket, ratio=0.5))]
    assert counts == [10, 5, 3, 2, 1, 1, 1]


def test_rewinding_to_an_epoch_asks_once_more_for_the_start_of_iteration_0():
    asked = trainings(plan(2, rewind=ToEpoch(2)))
    assert [(r.iteration, r.first_epoch, r.until) for r in asked] == [
        (0, 0, None),
        (0, 0, 2),
        (1, 2, None),
        (0, 0, 2),
        (2, 2, None),
    ]
    assert torch.equal(asked[2].start["w"], trained(asked[1]).last["w"])


def test_fine_tuning_goes_on_from_what_decided_and_a_fresh_start_is_another_each_time():
    tuned = trainings(plan(2, rewind=FineTune()))
    assert torch.equal(tuned[1].start["w"], trained(tuned[0]).best["w"])
    assert [r.start["w"][0, 0].item() for r in trainings(plan(2, rewind=Fresh()))] == [1.0, 1.0, 2.0]


@dataclass(frozen=True)
class Positions(Score):
    needs_network: ClassVar[bool] = True


def test_scores_of_a_network_are_asked_for_and_decide():
    requests = list(play(plan(2, score=Positions())))
    asked = [r for r in requests if isinstance(r, ScoreRequest)]
    assert [int((r.state["w"] == 0).sum()) for r in asked] == [0, 1]
    assert pruned_positions([r for r in requests if isinstance(r, Record)][-1]) == [0, 1]


@dataclass(frozen=True)
class Drawn(Score):
    def of_weights(self, weights, draws):
        return {name: torch.rand_like(w) for name, w in weights.items()}


@dataclass(frozen=True)
class Noisy(Rewind):
    def start(self, iteration, origin, deciding):
        yield from ()
        return {name: torch.rand_like(tensor) for name, tensor in deciding.items()}


def test_what_parts_of_ones_own_draw_depends_on_seed_and_iteration_alone():
    def numbers(seed, start=None):
        torch.rand(1)
        drawing = replace(plan(3, score=Drawn(), rewind=Noisy()), seed=seed)
        return [(pruned_positions(r), r.request.start["b"].item()) for r in records(drawing, start)]

    whole = records(replace(plan(3, score=Drawn(), rewind=Noisy()), seed=3))
    assert numbers(3) == numbers(3)
    assert numbers(3, whole[1].step.following) == numbers(3)[2:]
    assert len({number for _, number in numbers(3)[1:] + numbers(4)[1:]}) == 6


@dataclass(frozen=True)
class Writing(Score):
    def of_weights(self, weights, draws):
        return {name: w.abs_() for name, w in weights.items()}


@dataclass(frozen=True)
class WritingAmount(One):
    def amount(self, weights, alive, iteration, protocol):
        weights.mul_(0)
        return super().amount(weights, alive, iteration, protocol)


@dataclass(frozen=True)
class WritingRewind(Rewind):
    def start(self, iteration, origin, deciding):
        yield from ()
        origin.start["b"].add_(1)
        return origin.start


@pytest.mark.parametrize(
    "wrong", [plan(1, score=Writing()), plan(1, WritingAmount), plan(1, rewind=WritingRewind())], ids=str
)
def test_a_part_that_writes_into_what_it_is_given_is_refused_before_it_does_harm(wrong):
    given = {name: tensor.clone() for name, tensor in INITIAL.items()}
    with pytest.raises(UserError, match=r"prune=.* writes into weights or masks that it is given"):
        list(rehearsal(wrong, given, LAYOUT))
    assert all(torch.equal(tensor, INITIAL[name]) for name, tensor in given.items())


@dataclass(frozen=True)
class Partial(Rewind):
    kept: list[str] = setting([])

    def start(self, iteration, origin, deciding):
        yield from ()
        if self.kept:
            return {name: deciding[name][:, :9] if name == "w" else deciding[name] for name in self.kept}


@pytest.mark.parametrize(("kept", "missing"), [([], "w"), (["b", "mean"], "w"), (["b", "w", "mean"], "w")])
def test_a_rewinding_must_give_the_whole_state(kept, missing):
    with pytest.raises(UserError, match=rf"gave no {missing} of shape \[1, 10\]"):
        list(rehearsal(plan(1, rewind=Partial(kept)), INITIAL, LAYOUT))


def test_random_scores_depend_on_seed_and_iteration():
    def masks(seed):
        return [pruned_positions(r) for r in records(replace(plan(3, score=Random()), seed=seed))]

    assert masks(3) == masks(3)
    assert masks(3) != masks(4)


def test_before_training_the_initial_state_decides_all_masks():
    asked = trainings(plan(3, AtInitialisation, ratio=0.2, score=Positions()))
    assert [pruned_positions(r) for r in asked] == [[], [0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]]
    assert all(torch.equal(r.start["w"], INITIAL["w"]) for r in asked)


@pytest.mark.parametrize("method", [OneOfTheDense, OneAtInitialisation])
def test_trainings_that_are_known_ahead_are_announced_where_that_is_asked_for(method):
    (upcoming,) = [r for r in play(plan(3, method), announce=True) if isinstance(r, Upcoming)]
    asked = trainings(plan(3, method))[1:]
    assert [pruned_positions(r) for r in upcoming.requests] == [pruned_positions(r) for r in asked]
    assert not [r for r in play(plan(3, method)) if isinstance(r, Upcoming)]
    assert not [r for r in play(plan(3), announce=True) if isinstance(r, Upcoming)]
