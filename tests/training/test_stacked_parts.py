"""The parts of a stack: vectors, groups, clipping, the written-out backward pass and whom it is for, memory."""

import pytest
import torch
from torch import nn

from src.training.dense import Dense, is_dense
from src.training.stacked import free_memory, kept_bytes, member_bytes, members_that_fit, stacks
from src.training.stacked.networks import Mapped, group, hits
from src.training.vectors import StackedVector
from tests.training.examples import CPU, SHAPE, Cnn, Perceptron, network, solo, specification

SHAPES = [torch.Size((2, 3)), torch.Size((2,))]


def filled(shapes=SHAPES, members=3) -> StackedVector:
    vector = StackedVector.zeros(shapes, members, CPU)
    vector.vector.copy_(0.1 * torch.randn(len(vector.vector), generator=torch.Generator().manual_seed(0)))
    return vector


def test_members_go_in_and_come_out():
    vector = StackedVector.zeros(SHAPES, 3, CPU)
    vector.set_member(1, torch.arange(1.0, 9.0))
    assert vector.leaves[0][1].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert vector.leaves[1][1].tolist() == [7, 8]
    assert vector.vector.tolist() == [0] * 6 + [1, 2, 3, 4, 5, 6] + [0] * 8 + [7, 8] + [0] * 2
    assert vector.member(1).tolist() == list(range(1, 9))
    assert vector.member(0).count_nonzero() == vector.member(2).count_nonzero() == 0
    vector.clear(1)
    assert vector.vector.count_nonzero() == 0


def test_chosen_members_are_copied():
    source, target = filled(), StackedVector.zeros(SHAPES, 3, CPU)
    target.copy_members(source, torch.tensor([0, 2]))
    assert [torch.equal(target.member(k), source.member(k)) for k in range(3)] == [True, False, True]
    target.copy_members(source, torch.tensor([], dtype=torch.int64))
    assert target.member(1).count_nonzero() == 0


def test_groups_are_runs():
    assert group([(0, 1), (0, 1), (1, 0), (0, 1)]) == [range(0, 2), range(2, 3), range(3, 4)]


@pytest.mark.parametrize("max_norm", [1.0, 2.5, torch.inf])
def test_every_member_is_clipped_as_pytorch_does(max_norm):
    gradient = filled()
    gradient.vector.mul_(torch.tensor([1.0, 10.0, 1000.0]).repeat_interleave(2).repeat(4))
    expected = []
    for k in range(3):
        parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in SHAPES]
        for parameter, leaf in zip(parameters, gradient.leaves, strict=True):
            parameter.grad = leaf[k].clone()
        torch.nn.utils.clip_grad_norm_(parameters, max_norm)
        expected.append(torch.cat([parameter.grad.flatten() for parameter in parameters]))
    gradient.clip_(max_norm)
    for k, values in enumerate(expected):
        torch.testing.assert_close(gradient.member(k), values)


@pytest.mark.parametrize("model", ["linear", "mlp"])
@pytest.mark.parametrize("keys", ["aaaa", "aabb", "abcd", "aaab"])
def test_written_out_gradients_are_autograds(model, keys):
    template = network(model)
    named = dict(template.named_parameters())
    shapes = [p.shape for p in named.values()]
    parameters, gradient, expected = (
        filled(shapes, 4),
        StackedVector.zeros(shapes, 4, CPU),
        StackedVector.zeros(shapes, 4, CPU),
    )
    groups = group(keys)
    generator = torch.Generator().manual_seed(1)
    xs = [torch.randn(7, 1, 8, 8, generator=generator) for _ in groups]
    of = [index for index, g in enumerate(groups) for _ in range(len(g))]
    labels = torch.randint(10, (len(groups), 7), generator=generator)[of, None]

    losses, correct = Dense(parameters, gradient, groups).backward(xs, labels)
    mapped = Mapped("fp32", template, list(named), parameters, expected, {}, groups)
    expected_losses, expected_correct = mapped.backward(xs, labels)
    torch.testing.assert_close(losses, expected_losses)
    torch.testing.assert_close(gradient.vector, expected.vector, rtol=1e-3, atol=1e-6)
    assert torch.equal(correct, expected_correct)
    assert expected.vector.count_nonzero() > 0
    dense_logits = Dense(parameters, gradient, groups).logits(xs[0])
    torch.testing.assert_close(dense_logits, mapped.logits(xs[0]), rtol=1e-4, atol=1e-5)


class Altered(Perceptron):
    """The structure of a perceptron that computes something else."""

    def __init__(self, change) -> None:
        super().__init__(7)
        self.change = change

    def forward(self, x):
        return self.change(self, x)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Perceptron(), True),
        (Perceptron(128, 256), True),
        (Perceptron(5, 11, 3), True),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Dropout(0.0), nn.ReLU(), nn.Linear(4, 2)), True),
        (Perceptron(16, activation=nn.Tanh), False),
        (Perceptron(16, activation=nn.GELU), False),
        (Perceptron(16, activation=nn.ReLU6), False),
        (Perceptron(16, activation=nn.LeakyReLU), False),
        (Perceptron(16, activation=nn.Identity), False),
        (Perceptron(16, activation=lambda: nn.Sequential(nn.ReLU(), nn.Dropout(0.1))), False),
        (Perceptron(16, activation=lambda: nn.Sequential(nn.BatchNorm1d(16, affine=False), nn.ReLU())), False),
        (Altered(lambda m, x: 0.5 * m.linear(m.blocks(x.flatten(1)))), False),
        (Altered(lambda m, x: m.linear(m.blocks(x.flatten(1)).detach())), False),
        (Altered(lambda m, x: m.linear(m.blocks(x.mT.flatten(1)))), False),
        (Altered(lambda m, x: nn.functional.linear(m.blocks(x.flatten(1)), m.linear.weight)), False),
        (Altered(lambda m, x: m.linear(m.blocks(x.flatten(1).float()))), False),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 10, bias=False)), False),
        (nn.Sequential(nn.Flatten(), nn.Linear(63, 10)), False),
        (nn.Sequential(nn.Flatten()), False),
        (Cnn(), False),
    ],
)
def test_models_are_stacked_by_what_they_compute(model, expected):
    before, random = {name: tensor.clone() for name, tensor in model.state_dict().items()}, torch.get_rng_state()
    assert is_dense(model, SHAPE) == expected
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(random, torch.get_rng_state())
    assert model.training


def test_engines_whose_models_are_stacked():
    assert [stacks(solo(specification(name))) for name in ("linear", "mlp", "cnn")] == [True, True, False]


def test_hits_count_the_first_of_equal_logits():
    logits = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0]])[:, :, None]
    assert hits(logits, torch.tensor([[[0]], [[2]]])).tolist() == [1, 0]
    assert hits(logits, torch.tensor([[[1]], [[1]]])).tolist() == [0, 1]


def test_memory_of_a_member():
    mlp = network("mlp")
    parameters = sum(p.numel() for p in mlp.parameters())
    assert member_bytes(mlp, SHAPE, 10, vectors=6) - member_bytes(mlp, SHAPE, 10, vectors=4) == 2 * 4 * parameters
    assert member_bytes(mlp, SHAPE, 10, vectors=5) > 5 * 4 * parameters
    # a batch is kept once per image, and the weights are not counted with the images
    growth = member_bytes(mlp, SHAPE, 20, 5) - member_bytes(mlp, SHAPE, 10, 5)
    assert growth == 2 * 10 * (kept_bytes(mlp, SHAPE, 3) - kept_bytes(mlp, SHAPE, 2))
    assert growth < 2 * 4 * 10 * 2000
    assert member_bytes(Cnn(channels=3, side=32), (3, 32, 32), 250, 5) > 250 * 4 * 8 * 32 * 32 * 3


def test_fewer_of_the_larger_fit():
    small, large = (members_that_fit(network(name), SHAPE, 100, 5, CPU) for name in ("linear", "mlp"))
    assert 1 < large < small
    assert free_memory(CPU) > 2**20
    assert members_that_fit(network("mlp"), SHAPE, 10**12, 5, CPU) == 1
