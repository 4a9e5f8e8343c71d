"""Everything that a step makes lies on the network's device: shown without a GPU.

FakeTensorMode computes shapes and devices alone, and refuses an operation on tensors of two devices. It has no values:
checks that read them are left out. Measures and amounts, which read many, and autograd's backward pass, which asks for
a driver, cannot be shown so.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from src.training import checks, loop
from src.training.optimizers import Optimizer
from src.training.stack import Stack
from tests.training.examples import SHAPE, member, network, patterns, specification

CUDA = torch.device("cuda")


class Plain(Optimizer):
    """Gradient descent: the fused kernel of SGD has no fake form."""

    def step(self, parameters, gradient, state, lr):
        parameters.sub_(lr * gradient)


@pytest.fixture
def _fake(monkeypatch):
    monkeypatch.setattr(checks, "check_training", lambda *_: None)
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield


def engine(name):
    """A solo engine on CUDA."""
    with unset_fake_temporarily():
        data = patterns()
    with CUDA:
        net = network(name)
    net.to = lambda _: net  # a module of such tensors cannot be moved
    return loop.SoloEngine(specification(name, optimizer=Plain()), data, net, CUDA)


def stack_of(name):
    """A stack of three on CUDA."""
    return Stack(engine(name), {place: member(specification(name), alive=0.5) for place in range(3)})


def batch():
    return torch.empty(50, *SHAPE, device=CUDA), torch.zeros(50, dtype=torch.int64, device=CUDA)


def kinds(*tensors):
    return {tensor.device.type for tensor in tensors}


@pytest.mark.usefixtures("_fake")
@pytest.mark.parametrize("name", ["linear", "mlp", "cnn"])
def test_a_solo_networks_images_and_forward_pass_are_on_the_device(name):
    solo = engine(name)
    x, y = batch()
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(solo._network(x), y)
    images = solo.images.train.train_images, *solo.images.test
    assert kinds(loss, *images, solo.flat.vector, solo.flat.gradient, solo._mask, *solo.model.buffers()) == {"cuda"}


@pytest.mark.usefixtures("_fake")
@pytest.mark.filterwarnings("ignore:Accessing the data pointer")
@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_stacks_own_step_and_test_stay_on_the_device(name):
    stack = stack_of(name)
    x, y = batch()
    stack._step(y[None], x[None])
    assert kinds(*stack._totals(x, y), stack._parameters.vector, stack._losses, stack._correct) == {"cuda"}


@pytest.mark.usefixtures("_fake")
@pytest.mark.filterwarnings("ignore:Accessing the data pointer")
def test_what_is_left_on_the_cpu_is_seen():
    stack = stack_of("mlp")
    stack._mask.vector = torch.ones(stack._mask.vector.shape)
    x, y = batch()
    with pytest.raises(RuntimeError, match=r"[Dd]evice"):
        stack._step(y[None], x[None])
