"""The parts of a stack: vectors, groups, clipping, the written-out backward pass and whom it is for, memory."""

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from src.training.dense import Dense, hits, is_dense
from src.training.stack import groups_of
from src.training.stacked import StackedEngine, free_memory, member_bytes, stacks
from src.training.stacked_vector import StackedVector
from tests.training.examples import CPU, SHAPE, Cnn, Perceptron, network, solo, specification

SHAPES = [torch.Size((2, 3)), torch.Size((2,))]


def filled(shapes=SHAPES, members=3) -> StackedVector:
    vector, generator = StackedVector.zeros(shapes, members, CPU), torch.Generator().manual_seed(0)
    for k in range(members):
        vector.set_member(k, 0.1 * torch.randn(sum(shape.numel() for shape in shapes), generator=generator))
    return vector


def test_members_go_in_and_come_out():
    vector = StackedVector.zeros(SHAPES, 3, CPU)
    vector.set_member(1, torch.arange(1.0, 9.0))
    assert vector.leaves[0][1].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert vector.leaves[1][1].tolist() == [7, 8]
    # each member's tensor takes 16 places, 64 bytes
    weights = [0] * 16 + [1, 2, 3, 4, 5, 6] + [0] * 10 + [0] * 16
    assert vector.vector.tolist() == weights + [0] * 16 + [7, 8] + [0] * 14 + [0] * 16
    assert vector.member(1).tolist() == list(range(1, 9))
    assert vector.member(0).count_nonzero() == vector.member(2).count_nonzero() == 0


def test_chosen_members_are_copied():
    source, target = filled(), StackedVector.zeros(SHAPES, 3, CPU)
    target.copy_members(source, torch.tensor([0, 2]))
    assert [torch.equal(target.member(k), source.member(k)) for k in range(3)] == [True, False, True]
    target.copy_members(source, torch.tensor([], dtype=torch.int64))
    assert target.member(1).count_nonzero() == 0


def test_groups_are_runs():
    assert groups_of([(0, 1), (0, 1), (1, 0), (0, 1)]) == [range(0, 2), range(2, 3), range(3, 4)]


@pytest.mark.parametrize("max_norm", [1.0, 2.5, torch.inf])
def test_every_member_is_clipped_as_pytorch_does(max_norm):
    gradient = filled()
    for k, factor in enumerate((1.0, 10.0, 1000.0)):
        gradient.set_member(k, factor * gradient.member(k))
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
    parameters, gradient = filled(shapes, 4), StackedVector.zeros(shapes, 4, CPU)
    groups, generator = groups_of(keys), torch.Generator().manual_seed(1)
    xs = torch.randn(len(groups), 7, 1, 8, 8, generator=generator)
    ys = torch.randint(10, (len(groups), 7), generator=generator)
    of = [index for index, g in enumerate(groups) for _ in range(len(g))]

    dense = Dense(parameters, gradient, groups)
    losses, correct = dense.backward(xs, ys[of, None])
    for k, index in enumerate(of):
        own = {name: leaf[k].clone().requires_grad_() for name, leaf in zip(named, parameters.leaves, strict=True)}
        logits = functional_call(template, own, (xs[index],))
        loss = cross_entropy(logits, ys[index])
        expected = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(own.values()))])
        torch.testing.assert_close(gradient.member(k), expected, rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(losses[k], 7 * loss.detach())
        assert correct[k] == (logits.argmax(1) == ys[index]).sum()
        alone = functional_call(template, own, (xs[0],)).detach().T
        torch.testing.assert_close(dense.logits(xs[0])[k], alone, rtol=1e-4, atol=1e-5)
    assert gradient.vector.count_nonzero() > 0


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
        (Perceptron(16, activation=lambda: nn.Sequential(nn.ReLU(), nn.Dropout(1e-9))), False),
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


def test_a_model_whose_parameters_have_hooks_is_not_stacked():
    model = Perceptron(16)
    model.linear.weight.register_hook(lambda gradient: 0.1 * gradient)
    assert not is_dense(model, SHAPE)
    model = Perceptron(16)
    model.linear.weight.register_post_accumulate_grad_hook(id)
    assert not is_dense(model, SHAPE)


def test_engines_whose_models_are_stacked():
    assert [stacks(solo(specification(name))) for name in ("linear", "mlp", "cnn")] == [True, True, False]


def test_hits_count_the_first_of_equal_logits():
    logits = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0]])[:, :, None]
    assert hits(logits, torch.tensor([[[0]], [[2]]])).tolist() == [1, 0]
    assert hits(logits, torch.tensor([[[1]], [[1]]])).tolist() == [0, 1]


def test_memory_of_a_member():
    # 64 x 128 + 128 x 256 + 256 x 10 weights, 128 + 256 + 10 biases
    mlp, parameters, outputs = network("mlp"), 43_520 + 394, 394
    assert member_bytes(mlp, 100, vectors=5) == 4 * (5 * parameters + 4 * 100 * outputs)
    assert free_memory(CPU) > 2**20


def test_a_stack_takes_what_the_memory_holds(monkeypatch):
    engine = StackedEngine(solo(specification("mlp")))
    monkeypatch.setattr("src.training.stacked.free_memory", lambda _: 10 * member_bytes(network("mlp"), 100, 5))
    assert engine._members_that_fit() == 7
    monkeypatch.setattr("src.training.stacked.free_memory", lambda _: 0)
    assert engine._members_that_fit() == 1
