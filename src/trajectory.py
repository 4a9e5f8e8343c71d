"""Algorithm 1, once: train, measure, decide, prune, rewind, repeat.

A trajectory is a generator. It yields what it needs from outside, a training or a test pass, and is sent back the
result; in between it measures and decides, and after each iteration it yields a `Record`. It knows nothing of devices,
disks, Hydra or Weights & Biases: drivers answer its requests, one by one or merged with those of other trajectories.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias, cast

import torch

from src.config.protocol import ProtocolConfig
from src.errors import UserError
from src.messages import (
    Answer,
    Epoch,
    EvaluateRequest,
    Performance,
    Request,
    ScoreRequest,
    State,
    Trained,
    TrainRequest,
    Upcoming,
)
from src.pruning.masks import Masks, Weights, apply_masks, full_masks
from src.pruning.method import Method
from src.pruning.prune import Decision, prune
from src.sparsity import Measures, measure
from src.training.backend import seeded

DECISIONS = 0xDEC1DE
"""Tells what parts of one's own draw in a decision from what networks draw in an epoch."""


@dataclass(frozen=True)
class Plan:
    """What a trajectory does under a protocol: the method, and whose weights are used for what."""

    method: Method
    protocol: ProtocolConfig
    seed: int = 0
    measure_neurons: bool = False

    def decides(self, t: int) -> str:
        """The checkpoint, `best` or `last`, that decides the mask after iteration t (A1), and for one-shot (A2)."""
        chosen = "last" if self.protocol.decision.checkpoint == "last" else "best"  # whatever images choose the best
        if self.method.decided_on != "dense":
            return chosen
        source = self.protocol.one_shot.source
        return source if source != "reference" else chosen if t == 0 else "last"

    def evaluates(self, t: int) -> str:
        """The checkpoint that is measured in iteration t (A3), and in the last one (A4)."""
        asked = self.protocol.eval
        return asked.final_iteration if t == self.method.prunings and asked.checkpoint == "last" else asked.checkpoint


@dataclass(frozen=True)
class Layout:
    """The names in a model's state dict of its prunable weights and of its buffers."""

    prunable: list[str]
    buffers: list[str]


@dataclass(frozen=True)
class PruningStep:
    """The step from iteration t to t + 1: r_t where there is one, where it leads, and the pruned model as it is."""

    bound: float | None
    following: TrainRequest
    performance: Performance
    measures: Measures


@dataclass(frozen=True)
class Record:
    """What is known after an iteration; `step` is None in the last one."""

    request: TrainRequest
    trained: Trained
    evaluated: Epoch
    measures: Measures
    step: PruningStep | None = None

    @property
    def iteration(self) -> int:
        return self.request.iteration

    @property
    def masks(self) -> Masks:
        return self.request.masks

    @property
    def network(self) -> State:
        """Parameters and buffers of the model that is measured; pruned weights are zero."""
        trained = self.trained
        return trained.last if self.evaluated.epoch == trained.history[-1].epoch else trained.best


Trajectory: TypeAlias = Generator[Request | Record, Answer, None]
Following: TypeAlias = Generator[Request, Answer, tuple[Decision, TrainRequest]]


def trajectory(
    plan: Plan, initial: State, layout: Layout, start: TrainRequest | None = None, announce: bool = False
) -> Trajectory:
    """Algorithm 1 from the state `initial`.

    `start` goes on after an interruption: the training that the record of the last finished iteration leads to. With
    `announce`, trainings that are known ahead are told as soon as they are.
    """
    method, final = plan.method, plan.method.prunings
    origin = TrainRequest(0, full_masks(initial, layout.prunable), initial)
    request = start or origin
    dense = None
    if method.decided_on == "dense" and request.iteration > 0:
        dense = yield from _train(origin)
    if announce and (dense or method.decided_on == "initialisation"):
        yield from _announce(plan, layout, origin, dense, request)

    for t in range(request.iteration, final + 1):
        trained = yield from _train(request)
        state, performance = trained.checkpoint(plan.evaluates(t))
        measures = _measure(plan, state, request.masks)
        if t == final:
            yield Record(request, trained, performance, measures)
            return

        if method.decided_on == "dense":
            if dense is None:
                dense = trained
                if announce:
                    yield from _announce(plan, layout, origin, dense, request)
            state, _ = dense.checkpoint(plan.evaluates(t))
        decision, following = yield from _follow(plan, layout, origin, dense or trained, request)
        pruned = apply_masks(state, decision.masks)
        pruned_performance = yield from _evaluate(pruned)
        step = PruningStep(decision.bound, following, pruned_performance, _measure(plan, pruned, decision.masks))
        yield Record(request, trained, performance, measures, step)
        request = following


def rehearsal(plan: Plan, initial: State, layout: Layout) -> Generator[Request, Answer, None]:
    """The first decision, on copies of the initial weights: raises what parts would, before anything is trained."""
    origin = TrainRequest(0, full_masks(initial, layout.prunable), {name: t.clone() for name, t in initial.items()})
    if plan.method.prunings:
        yield from _follow(plan, layout, origin, None, origin)


def _follow(
    plan: Plan, layout: Layout, origin: TrainRequest, trained: Trained | None, request: TrainRequest
) -> Following:
    """The next masks and the training they lead to: decided by `trained`, or by the initial state where it is None.

    What its parts draw, seed and iteration decide. Raises UserError where they write into what they are given.
    """
    if plan.method.decided_on == "initialisation" or trained is None:
        deciding = origin.start
    else:
        deciding, _ = trained.checkpoint(plan.decides(request.iteration))
    given = [*origin.start.values(), *deciding.values(), *request.masks.values()]
    versions = [tensor._version for tensor in given]
    steps = _steps(plan, layout, origin, deciding, request)
    following = yield from _seeded(steps, given[0].device, [plan.seed, request.iteration, DECISIONS])
    if versions != [tensor._version for tensor in given]:
        raise UserError(
            f"prune={plan.method.short} writes into weights or masks that it is given, and that others see: "
            "let its amount, score and rewinding work on copies"
        )
    return following


def _steps(plan: Plan, layout: Layout, origin: TrainRequest, deciding: State, request: TrainRequest) -> Following:
    """The same, by the weights in `deciding`."""
    method, t = plan.method, request.iteration
    decision = yield from _decide(plan, deciding, request)
    rewound = (yield from method.rewind.start(t + 1, origin, deciding)) or {}
    for name, tensor in origin.start.items():
        if name not in rewound or rewound[name].shape != tensor.shape:
            raise UserError(
                f"prune.rewind={method.rewind.short} gave no {name} of shape {list(tensor.shape)}: "
                "it must give all tensors of a network's state"
            )
    buffers = rewound if plan.protocol.rewind.bn_buffers == "reset" else deciding  # A5
    start = {**rewound, **{name: buffers[name] for name in layout.buffers}}
    return decision, TrainRequest(t + 1, decision.masks, start, method.rewind.first_epoch)


def _seeded(steps: Following, device: torch.device, numbers: Sequence[int]) -> Following:
    """`steps`, each drawing what `numbers` and its place decide; others' steps may come in between."""
    answer, places = cast(Answer, None), count()
    try:
        while True:
            with seeded(device, [*numbers, next(places)]):
                request = steps.send(answer)
            answer = yield request
    except StopIteration as end:
        return cast(tuple[Decision, TrainRequest], end.value)


def _decide(plan: Plan, deciding: State, request: TrainRequest) -> Generator[Request, Answer, Decision]:
    """The next masks, by the scores of the weights in `deciding`."""
    method, masks, t = plan.method, request.masks, request.iteration
    weights = {name: deciding[name] for name in masks}
    if method.score.needs_network:
        network = apply_masks(deciding, masks)
        scores = yield ScoreRequest(network, lambda model, batches: method.score.of_network(model, batches, masks))
    else:
        scores = method.score.of_weights(weights, (plan.seed, t))
    return prune(method, plan.protocol, weights, cast(Weights, scores), masks, t)


def _announce(
    plan: Plan, layout: Layout, origin: TrainRequest, dense: Trained | None, request: TrainRequest
) -> Generator[Request, Answer, None]:
    """The trainings after `request`, all of which the dense or the initial network decides."""
    requests = []
    while request.iteration < plan.method.prunings:
        _, request = yield from _follow(plan, layout, origin, dense, request)
        requests.append(request)
    yield Upcoming(requests)


def _train(request: TrainRequest) -> Generator[Request, Answer, Trained]:
    return cast(Trained, (yield request))


def _evaluate(state: State) -> Generator[Request, Answer, Performance]:
    return cast(Performance, (yield EvaluateRequest(state)))


def _measure(plan: Plan, state: State, masks: Masks) -> Measures:
    return measure({name: state[name] for name in masks}, masks, neurons=plan.measure_neurons)
