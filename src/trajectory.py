"""Algorithm 1, once: train, measure, decide, prune, rewind, repeat.

A trajectory is a generator. It yields what it needs from outside, a training or a test pass, and is sent back the
result; in between it measures and decides, and after each iteration it yields a `Record`. It knows nothing of devices,
disks, Hydra or Weights & Biases: drivers answer its requests, one by one or merged with those of other trajectories.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast

from torch import Tensor

from src.pruning import Decision, Masks, Pruner, apply_masks, full_masks, prune
from src.requests import (
    Answer,
    EvaluateRequest,
    Performance,
    Position,
    PruningStep,
    Record,
    Request,
    State,
    Trained,
    TrainRequest,
    Upcoming,
)
from src.sparsity import Measures, measure

Checkpoint = Literal["best", "last"]


@dataclass(frozen=True)
class Plan:
    """What a trajectory does: T prunings by `pruner` (None: none) and whose weights are used for what.

    decides: the checkpoint that decides a mask (A1), for one-shot the first mask; one_shot_decides: that of the dense
    network for one-shot's later masks (A2); evaluated, evaluated_last: the checkpoint that is measured, and the one in
    iteration T (A3, A4); reset_buffers: BatchNorm's running statistics are rewound with the parameters (A5).
    """

    iterations: int
    pruner: Pruner | None
    decides: Checkpoint = "best"
    one_shot_decides: Checkpoint = "last"
    evaluated: Checkpoint = "last"
    evaluated_last: Checkpoint = "last"
    reset_buffers: bool = False
    measure_neurons: bool = False


@dataclass(frozen=True)
class Layout:
    """The names in a model's state dict of its prunable weights and of its buffers."""

    prunable: list[str]
    buffers: list[str]


Trajectory = Generator[Request, Answer, None]


def trajectory(plan: Plan, initial: State, layout: Layout, start: Position | None = None) -> Trajectory:
    """Algorithm 1 from `initial`, the state that every iteration rewinds to.

    `start` goes on after an interruption: the position that the record of the last finished iteration names.
    """
    pruner, final = plan.pruner, plan.iterations
    origin = Position(0, full_masks(initial, layout.prunable), _buffers(initial, layout))
    at = start or origin
    follow = partial(_follow, plan, layout, origin)
    dense: Trained | None = None
    if pruner and pruner.one_shot and at.iteration > 0:
        dense = yield from _train(origin)
        yield _upcoming(follow, dense, at, final)

    for t in range(at.iteration, final + 1):
        trained = yield from _train(at)
        state, performance = trained.checkpoint(plan.evaluated_last if t == final else plan.evaluated)
        measures = _measure(plan, state, at.masks)
        if pruner is None or t == final:
            yield Record(t, at.masks, trained, performance, measures)
            return

        decides = trained
        if pruner.one_shot:
            if dense is None:
                dense = trained
                yield _upcoming(follow, dense, at, final)
            decides = dense
            state, _ = dense.checkpoint(plan.evaluated)
        decision, following = follow(decides, at)
        pruned = apply_masks(state, decision.masks)
        pruned_performance = yield from _evaluate(pruned)
        step = PruningStep(decision, pruned_performance, _measure(plan, pruned, decision.masks))
        yield Record(t, at.masks, trained, performance, measures, step, following)
        at = following


def _follow(plan: Plan, layout: Layout, origin: Position, decides: Trained, at: Position) -> tuple[Decision, Position]:
    """The next masks, decided by a checkpoint of the training `decides`, and where they lead."""
    assert plan.pruner is not None
    later = plan.pruner.one_shot and at.iteration > 0
    deciding, _ = decides.checkpoint(plan.one_shot_decides if later else plan.decides)
    decision = prune(plan.pruner, deciding, at.masks)
    buffers = origin.buffers if plan.reset_buffers else _buffers(deciding, layout)
    return decision, Position(at.iteration + 1, decision.masks, buffers)


def _upcoming(
    follow: Callable[[Trained, Position], tuple[Decision, Position]], dense: Trained, at: Position, final: int
) -> Upcoming:
    """One-shot's trainings after `at`: the dense network decides them all."""
    requests = []
    while at.iteration < final:
        _, at = follow(dense, at)
        requests.append(_request(at))
    return Upcoming(requests)


def _request(at: Position) -> TrainRequest:
    return TrainRequest(at.iteration, at.masks, at.buffers)


def _train(at: Position) -> Generator[Request, Answer, Trained]:
    return cast(Trained, (yield _request(at)))


def _evaluate(state: State) -> Generator[Request, Answer, Performance]:
    return cast(Performance, (yield EvaluateRequest(state)))


def _measure(plan: Plan, state: State, masks: Masks) -> Measures:
    return measure({name: state[name] for name in masks}, masks, neurons=plan.measure_neurons)


def _buffers(state: State, layout: Layout) -> dict[str, Tensor]:
    return {name: state[name] for name in layout.buffers}
