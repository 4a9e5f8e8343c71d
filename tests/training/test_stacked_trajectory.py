"""Stacked equals solo over a whole trajectory: every method and scope, several seeds, all advancing together."""

from dataclasses import replace

import pytest

from src.config.protocol import ProtocolConfig
from src.messages import EvaluateRequest, TrainRequest
from src.pruning.method import Method
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.pruning.methods.one_shot import OneShot
from src.pruning.methods.sap import Sap
from src.training.state import Member
from src.trajectory import Layout, Plan, Record, trajectory
from tests.training.examples import initial_state, patterns, solo, specification, stacked

SCOPES = "neuron", "layer", "global"
METHODS = {
    f"{method.kind()}-{scope}": method(scope=scope) for method in (Sap, LotteryTicket, OneShot) for scope in SCOPES
}
Run = tuple[str, int]
COUNT, MASK_SHARE, ACCURACY = 2, 0.999, 0.3


def records(engine, spec, runs: list[Run], iterations: int) -> dict[Run, list[Record]]:
    """All runs' records, each round's trainings handed to the engine together."""
    trajectories = {run: start(spec.model, METHODS[run[0]], run[1], iterations) for run in runs}
    result: dict[Run, list[Record]] = {run: [] for run in runs}
    answers = dict.fromkeys(runs)
    while answers:
        requests = {run: advance(trajectories[run], answer, engine, result[run]) for run, answer in answers.items()}
        asking = [run for run, request in requests.items() if request]
        members = [Member(replace(spec, seed=run[1]), requests[run]) for run in asking]
        answers = dict(zip(asking, engine.train(members), strict=True))
    return result


def start(model: str, method: Method, seed: int, iterations: int):
    initial = initial_state(model, seed)
    prunable = [name for name, tensor in initial.items() if name.endswith("weight") and tensor.ndim > 1]
    buffers = [name for name in initial if "running" in name or "num_batches" in name]
    plan = Plan(replace(method, iterations=iterations), ProtocolConfig(), seed)
    return trajectory(plan, initial, Layout(prunable, buffers))


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
    check(model, [(name, seed) for name in METHODS for seed in (0, 1)], iterations=3, epochs=2, lr=0.1)


def check(model: str, runs: list[Run], iterations: int, **settings) -> None:
    spec, dataset = specification(model, **settings), patterns(test=1000)
    alone = records(solo(spec, dataset), spec, runs, iterations)
    together = records(stacked(spec, dataset), spec, runs, iterations)
    for run in runs:
        assert len(alone[run]) == len(together[run]) == iterations + 1
        for one, other in zip(alone[run], together[run], strict=True):
            compare(one, other)
    assert all(not all(mask.all() for mask in together[run][-1].masks.values()) for run in runs)


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
