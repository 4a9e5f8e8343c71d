"""Options of the engines: which of them change a result, and that those which do not do not."""

import math
import shutil
from dataclasses import replace

import pytest
import torch

from src.errors import UserError
from src.training.backend import Backend, Captured, float32_products, seeded
from src.training.loop import SoloEngine
from src.training.optimizers import Adam, Sgd, Torch
from src.training.stacked import StackedEngine
from tests.training.examples import (
    distance,
    equal,
    member,
    mixed_members,
    network,
    patterns,
    solo,
    specification,
    stacked,
)

GRAPH, CHANNELS_LAST, COMPILED = Backend(compile="graph"), Backend(channels_last=True), Backend(compile="compile")


@pytest.mark.parametrize(
    ("engine", "model", "train", "settings"),
    [
        (solo, "mlp", 250, {}),
        (stacked, "mlp", 250, {}),
        (solo, "cnn", 150, {}),
        (solo, "linear", 250, {"optimizer": Adam(), "lr": 0.001}),
        (stacked, "linear", 250, {"optimizer": Adam(), "lr": 0.001}),
    ],
)
def test_a_captured_step_changes_rounding_only(engine, model, train, settings):
    # the learning rate is a float32 number in a graph; the last batch is smaller than the others: a second recording
    spec, dataset = specification(model, **{"epochs": 2, "lr": 0.01, **settings}), patterns(train)
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


def test_an_optimizer_that_cannot_be_captured_is_refused():
    spec = specification("linear", optimizer=Torch(name="RMSprop"))
    with pytest.raises(UserError, match=r"cannot be part of a CUDA graph: choose trainer\.compile=none, or"):
        solo(spec, patterns(100), GRAPH)


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
    (result,) = solo(spec, dataset, CHANNELS_LAST).train([member(spec)])
    assert distance(plain.last, result.last) < 1e-4
    assert all(t.is_contiguous() for t in result.last.values())
    arranged = CHANNELS_LAST.arrange(torch.zeros(2, 3, 4, 4))
    assert arranged.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("engine", "model"), [(solo, "mlp"), (solo, "cnn"), (stacked, "mlp")])
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


@pytest.mark.parametrize(("precision", "expected"), [("fp32", "ieee"), ("tf32", "tf32"), ("bf16", "tf32")])
def test_tf32_is_set_within_and_as_before_afterwards(precision, expected):
    settings = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    before = [setting.fp32_precision for setting in settings]
    with float32_products(precision):
        assert [setting.fp32_precision for setting in settings] == [expected] * 2
    assert [setting.fp32_precision for setting in settings] == before


def test_every_process_draws_something_else_and_each_the_same_again():
    drawn = []
    for numbers, rank in (([1, 2, 0], 0), ([1, 2, 0], 0), ([1, 2, 0], 1), ([1, 2, 1], 0)):
        with seeded(torch.device("cpu"), numbers, rank):
            drawn.append(torch.rand(3).tolist())
    assert drawn[0] == drawn[1]
    assert len({str(numbers) for numbers in drawn[1:]}) == 3


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
@pytest.mark.parametrize("optimizer", [Sgd(), Adam(eps=1e-3)], ids=["sgd", "adam"])
@pytest.mark.parametrize(
    ("form", "model", "train"),
    [(lambda engine: engine, "mlp", 250), (lambda engine: engine, "cnn", 150), (StackedEngine, "mlp", 250)],
    ids=["solo mlp", "solo cnn", "stacked mlp"],
)
def test_a_cuda_graph_computes_what_the_steps_do(form, optimizer, model, train):
    """Adam's eps: a bias before a batch normalisation has no gradient but rounding, which is to stay small."""
    spec, device = specification(model, epochs=2, lr=0.01, optimizer=optimizer), torch.device("cuda")
    dataset, members = patterns(train), mixed_members(spec)[:3]
    eager = form(SoloEngine(spec, dataset, network(model), device)).train(members)
    captured = form(SoloEngine(spec, dataset, network(model), device, GRAPH)).train(members)
    for one, other in zip(eager, captured, strict=True):
        assert distance(one.last, other.last) < 1e-3
