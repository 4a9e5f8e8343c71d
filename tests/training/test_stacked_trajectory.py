"""Stacked equals solo over a whole trajectory: every method and scope, several seeds, all advancing together."""

from dataclasses import replace
from functools import partial

import pytest

from src.models import prunable_names
from src.pruning import GROUPINGS, Pruner, fixed_ratio_amount, sap_amount
from src.requests import EvaluateRequest, Record, TrainRequest
from src.training.members import Member
from src.training.solo import SoloEngine
from src.training.stacked.engine import StackedEngine
from src.trajectory import Layout, Plan, trajectory
from tests.training.examples import CPU, initial_state, network, patterns, specification

SCOPES = ("neuron", "layer", "global")
SAP = partial(sap_amount, p=0.5, q=1.0, eta_r=0.0, gamma=1.0, beta=0.9, exact=False, ceil=True)
RATIO = partial(fixed_ratio_amount, ratio=0.2, floor=False)
PRUNERS = {
    **{f"sap-{scope}": Pruner(GROUPINGS[scope], SAP) for scope in SCOPES},
    **{f"lottery_ticket-{scope}": Pruner(GROUPINGS[scope], RATIO) for scope in SCOPES},
    **{f"one_shot-{scope}": Pruner(GROUPINGS[scope], RATIO, one_shot=True) for scope in SCOPES},
}
Run = tuple[str, int]
COUNT, MASK_SHARE, ACCURACY = 2, 0.999, 0.3


def records(engine, spec, runs: list[Run], iterations: int) -> dict[Run, list[Record]]:
    """All runs' records, each round's trainings handed to the engine together."""
    template = network(spec.model)
    layout = Layout(prunable_names(template), [name for name, _ in template.named_buffers()])
    initial = {seed: initial_state(spec.model, seed) for _, seed in runs}
    trajectories = {run: trajectory(Plan(iterations, PRUNERS[run[0]]), initial[run[1]], layout) for run in runs}
    result: dict[Run, list[Record]] = {run: [] for run in runs}
    answers = dict.fromkeys(runs)
    while answers:
        requests = {run: advance(trajectories[run], answer, engine, result[run]) for run, answer in answers.items()}
        asking = [run for run, request in requests.items() if request]
        members = [Member(replace(spec, seed=run[1]), initial[run[1]], requests[run]) for run in asking]
        answers = dict(zip(asking, engine.train(members), strict=True))
    return result


def advance(steps, answer, engine, seen: list[Record]) -> TrainRequest | None:
    """Go on to the next training that is asked for; None at the end."""
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            return None
        match request:
            case TrainRequest():
                return request
            case EvaluateRequest():
                answer = engine.evaluate(request.state)
            case Record():
                seen.append(request)
                answer = None


@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_every_method_and_scope(model):
    check(model, [(name, seed) for name in PRUNERS for seed in (0, 1)], iterations=3, epochs=2, lr=0.1)


@pytest.mark.slow
def test_every_method_and_scope_of_the_convolutional_network():
    # at 0.1 a rounding error grows a millionfold within an epoch of this BatchNorm network
    check("cnn", [(name, 0) for name in PRUNERS], iterations=2, epochs=2, lr=0.01, train=200)


def test_convolutional_network():
    check("cnn", [("sap-global", 0), ("lottery_ticket-neuron", 0)], iterations=1, epochs=1, lr=0.01, train=100)


def check(model: str, runs: list[Run], iterations: int, train: int = 600, **settings) -> None:
    spec = specification(model, **settings)
    dataset = patterns(train, test=1000)
    solo = records(SoloEngine(spec, dataset, network(model), CPU), spec, runs, iterations)
    stacked = records(StackedEngine(spec, dataset, network(model), CPU), spec, runs, iterations)
    for run in runs:
        assert len(solo[run]) == len(stacked[run]) == iterations + 1
        for one, other in zip(solo[run], stacked[run], strict=True):
            compare(one, other)
    assert all(not mask.all() for run in runs for mask in list(stacked[run][-1].masks.values())[:1])


def compare(one: Record, other: Record) -> None:
    for name, mask in one.masks.items():
        assert abs(int(mask.sum()) - int(other.masks[name].sum())) <= COUNT
    equal = sum(int((mask == other.masks[name]).sum()) for name, mask in one.masks.items())
    assert equal / sum(mask.numel() for mask in one.masks.values()) >= MASK_SHARE
    assert abs(one.evaluated.test.accuracy - other.evaluated.test.accuracy) <= ACCURACY
    assert one.trained.best_epoch == other.trained.best_epoch
    if one.step and other.step:
        assert abs(one.step.performance.accuracy - other.step.performance.accuracy) <= ACCURACY
    for a, b in zip(one.trained.history, other.trained.history, strict=True):
        assert a.train.loss == pytest.approx(b.train.loss, rel=1e-3)
        assert abs(a.train.accuracy - b.train.accuracy) <= ACCURACY
