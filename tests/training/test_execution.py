"""Options of the engines: which of them change a result, and that those which do not do not."""

import math
import shutil
from dataclasses import replace

import pytest
import torch

from src.store.identity import training_id
from src.training.capture import Captured
from src.training.execution import Execution, float32_products
from src.training.solo import SoloEngine
from src.training.stacked.engine import StackedEngine
from tests.training.examples import CPU, distance, equal, member, mixed_members, network, patterns, specification

GRAPH, CHANNELS_LAST, COMPILED = Execution(compile="graph"), Execution(channels_last=True), Execution(compile="compile")


def solo(spec, dataset, execution=None):
    return SoloEngine(spec, dataset, network(spec.model), CPU, *([execution] if execution else []))


def stacked(spec, dataset, execution=None):
    return StackedEngine(spec, dataset, network(spec.model), CPU, None, *([execution] if execution else []))


@pytest.mark.parametrize("engine", [solo, stacked])
@pytest.mark.parametrize(("model", "train"), [("mlp", 250), ("cnn", 150)])
def test_a_captured_step_changes_rounding_only(engine, model, train):
    # the learning rate is a float32 number in a graph; the last batch is smaller than the others: a second recording
    spec, dataset = specification(model, epochs=2, lr=0.01), patterns(train)
    members = mixed_members(spec)[:3]
    eager, captured = engine(spec, dataset).train(members), engine(spec, dataset, GRAPH).train(members)
    for one, other in zip(eager, captured, strict=True):
        assert distance(one.last, other.last) < 1e-5
        assert one.best_epoch == other.best_epoch
        assert [e.train.accuracy for e in one.history] == [e.train.accuracy for e in other.history]


def test_a_captured_engine_goes_on_with_other_masks_and_learning_rates():
    spec, dataset = specification("mlp", epochs=2), patterns()
    members = [member(spec), member(spec, iteration=1, alive=0.3)]
    engine = solo(spec, dataset, GRAPH)
    together = engine.train(members)
    for one, m in zip(together, members, strict=True):
        (alone,) = solo(spec, dataset, GRAPH).train([m])
        assert equal(one.last, alone.last)
    assert distance(together[0].last, together[1].last) > 1e-2


class Counter:
    """A step that adds its input up."""

    def __init__(self) -> None:
        self.total = torch.zeros(2)
        self.places: list[int] = []

    def step(self, x: torch.Tensor) -> None:
        self.places.append(x.data_ptr())
        self.total += x.sum()


def test_warming_up_leaves_no_trace_and_inputs_have_fixed_places():
    counter = Counter()
    run = Captured(counter.step, [counter.total])
    for value in (1.0, 2.0, 3.0):
        run(torch.full((3,), value))
    run(torch.full((1,), 0.5))
    assert counter.total.tolist() == [18.5, 18.5]
    first, last = set(counter.places[:4]), set(counter.places[4:])
    assert len(first) == len(last) == 1
    assert first != last


def test_channels_last_changes_rounding_only():
    spec, dataset = specification("cnn", epochs=1, lr=0.01), patterns(100)
    (plain,) = solo(spec, dataset).train([member(spec)])
    for engine in (solo, stacked):
        (result,) = engine(spec, dataset, CHANNELS_LAST).train([member(spec)])
        assert distance(plain.last, result.last) < 1e-4
        assert all(t.is_contiguous() for t in result.last.values())
    arranged = CHANNELS_LAST.arrange(torch.zeros(2, 3, 4, 4))
    assert arranged.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("engine", [solo, stacked])
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_bfloat16_is_another_training_that_learns_as_well(engine, model):
    exact = specification(model, epochs=3, lr=0.05)
    rough, dataset = replace(exact, precision="bf16"), patterns(300)
    (one,), (other,) = engine(exact, dataset).train([member(exact)]), engine(rough, dataset).train([member(rough)])
    assert distance(one.last, other.last) > 1e-4
    assert all(value.dtype == one.last[name].dtype for name, value in other.last.items())
    assert other.history[-1].train.loss == pytest.approx(one.history[-1].train.loss, rel=0.1)
    assert math.isfinite(other.history[-1].test.loss)


def test_bfloat16_stacked_is_close_to_solo():
    spec, dataset = specification("mlp", epochs=1, precision="bf16"), patterns(300)
    for one, other in zip(
        solo(spec, dataset).train(mixed_members(spec)), stacked(spec, dataset).train(mixed_members(spec)), strict=True
    ):
        assert distance(one.last, other.last) < 1e-2


def test_precision_enters_the_identity_and_its_default_does_not():
    spec = specification("mlp")
    request = member(spec).request
    assert spec.precision == "fp32"
    identities = {training_id(replace(spec, precision=p), request) for p in ("fp32", "tf32", "bf16")}
    assert len(identities) == 3
    assert training_id(spec, request) in identities


@pytest.mark.parametrize(("precision", "expected"), [("fp32", "ieee"), ("tf32", "tf32"), ("bf16", "tf32")])
def test_tf32_is_set_within_and_as_before_afterwards(precision, expected):
    settings = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    before = [setting.fp32_precision for setting in settings]
    with float32_products(precision):
        assert [setting.fp32_precision for setting in settings] == [expected] * 2
    assert [setting.fp32_precision for setting in settings] == before


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on the CPU")
def test_a_compiled_model_changes_rounding_only():
    spec, dataset = specification("mlp", epochs=2), patterns(300)
    members = [member(spec), member(spec, iteration=1, alive=0.3)]
    for one, other in zip(
        solo(spec, dataset).train(members), solo(spec, dataset, COMPILED).train(members), strict=True
    ):
        assert distance(one.last, other.last) < 1e-5


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("engine", [SoloEngine, StackedEngine])
@pytest.mark.parametrize(("model", "train"), [("mlp", 250), ("cnn", 150)])
def test_a_cuda_graph_computes_what_the_steps_do(engine, model, train):
    spec, dataset, device = specification(model, epochs=2, lr=0.01), patterns(train), torch.device("cuda")
    members = mixed_members(spec)[:3]
    eager = engine(spec, dataset, network(model), device).train(members)
    captured = engine(spec, dataset, network(model), device, execution=GRAPH).train(members)
    for one, other in zip(eager, captured, strict=True):
        assert distance(one.last, other.last) < 1e-3
