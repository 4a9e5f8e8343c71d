"""Algorithm 1, once: train, measure, decide, prune, rewind, repeat.

A trajectory is a generator. It yields what it needs from outside, a training or a test pass, and is sent back the
result; in between it measures and decides, and after each iteration it yields a `Record`. It knows nothing of devices,
disks, Hydra or Weights & Biases: drivers answer its requests, one by one or merged with those of other trajectories.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal, cast

from torch import Tensor

from src.pruning import Masks, Pruner, apply_masks, full_masks, prune
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
    dense = (yield from _train(origin)) if pruner and pruner.one_shot and at.iteration > 0 else None

    for t in range(at.iteration, final + 1):
        trained = yield from _train(at)
        state, performance = trained.checkpoint(plan.evaluated_last if t == final else plan.evaluated)
        measures = _measure(plan, state, at.masks)
        if pruner is None or t == final:
            yield Record(t, at.masks, trained, performance, measures)
            return

        if pruner.one_shot:
            dense = dense or trained
            deciding, _ = dense.checkpoint(plan.decides if t == 0 else plan.one_shot_decides)
            state, _ = dense.checkpoint(plan.evaluated)
        else:
            deciding, _ = trained.checkpoint(plan.decides)
        decision = prune(pruner, deciding, at.masks)
        pruned = apply_masks(state, decision.masks)
        pruned_performance = yield from _evaluate(pruned)
        step = PruningStep(decision, pruned_performance, _measure(plan, pruned, decision.masks))
        buffers = origin.buffers if plan.reset_buffers else _buffers(deciding, layout)
        following = Position(t + 1, decision.masks, buffers)
        yield Record(t, at.masks, trained, performance, measures, step, following)
        at = following


def _train(at: Position) -> Generator[Request, Answer, Trained]:
    return cast(Trained, (yield TrainRequest(at.iteration, at.masks, at.buffers)))


def _evaluate(state: State) -> Generator[Request, Answer, Performance]:
    return cast(Performance, (yield EvaluateRequest(state)))


def _measure(plan: Plan, state: State, masks: Masks) -> Measures:
    return measure({name: state[name] for name in masks}, masks, neurons=plan.measure_neurons)


def _buffers(state: State, layout: Layout) -> dict[str, Tensor]:
    return {name: state[name] for name in layout.buffers}
