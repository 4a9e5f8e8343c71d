"""The parts of a stack: vectors, groups, clipping, the written-out backward pass, memory."""

import pytest
import torch

from src.models import build_model
from src.training.stacked.dense import Dense
from src.training.stacked.groups import Group, group
from src.training.stacked.mapped import Mapped
from src.training.stacked.memory import free_memory, kept_bytes, member_bytes, members_that_fit
from src.training.stacked.network import hits
from src.training.stacked.products import SMALLEST, choose_products, onednn_products, products
from src.training.stacked.update import clip_
from src.training.stacked.vectors import StackedVector
from tests.training.examples import network

CPU = torch.device("cpu")
SHAPES = [torch.Size((2, 3)), torch.Size((2,))]


def filled(shapes=SHAPES, members=3) -> StackedVector:
    vector = StackedVector(shapes, members, CPU)
    vector.vector.copy_(0.1 * torch.randn(len(vector.vector), generator=torch.Generator().manual_seed(0)))
    return vector


def test_members_go_in_and_come_out():
    vector = StackedVector(SHAPES, 3, CPU)
    vector.set_member(1, torch.arange(1.0, 9.0))
    assert vector.leaves[0][1].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert vector.leaves[1][1].tolist() == [7, 8]
    assert vector.vector.tolist() == [0] * 6 + [1, 2, 3, 4, 5, 6] + [0] * 8 + [7, 8] + [0] * 2
    assert vector.member(1).tolist() == list(range(1, 9))
    assert vector.member(0).count_nonzero() == vector.member(2).count_nonzero() == 0
    vector.clear(1)
    assert vector.vector.count_nonzero() == 0


def test_chosen_members_are_copied():
    source, target = filled(), StackedVector(SHAPES, 3, CPU)
    target.copy_members(source, torch.tensor([0, 2]))
    assert [torch.equal(target.member(k), source.member(k)) for k in range(3)] == [True, False, True]
    target.copy_members(source, torch.tensor([], dtype=torch.int64))
    assert target.member(1).count_nonzero() == 0


def test_groups_are_runs():
    assert group([(0, 1), (0, 1), (1, 0), (0, 1)]) == [Group(0, 2), Group(2, 3), Group(3, 4)]


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
    clip_(gradient, max_norm)
    for k, values in enumerate(expected):
        torch.testing.assert_close(gradient.member(k), values)


@pytest.mark.parametrize("model", ["linear", "mlp"])
@pytest.mark.parametrize("keys", ["aaaa", "aabb", "abcd", "aaab"])
def test_written_out_gradients_are_autograds(model, keys):
    template = network(model)
    named = dict(template.named_parameters())
    shapes = [p.shape for p in named.values()]
    parameters, gradient, expected = filled(shapes, 4), StackedVector(shapes, 4, CPU), StackedVector(shapes, 4, CPU)
    groups = group(keys)
    generator = torch.Generator().manual_seed(1)
    xs = [torch.randn(7, 1, 8, 8, generator=generator) for _ in groups]
    of = [index for index, g in enumerate(groups) for _ in range(len(g))]
    labels = torch.randint(10, (len(groups), 7), generator=generator)[of, None]

    losses, correct = Dense(parameters, gradient, groups, products).backward(xs, labels)
    mapped = Mapped("fp32", template, list(named), parameters, expected, {}, groups)
    expected_losses, expected_correct = mapped.backward(xs, labels)
    torch.testing.assert_close(losses, expected_losses)
    torch.testing.assert_close(gradient.vector, expected.vector, rtol=1e-3, atol=1e-6)
    assert torch.equal(correct, expected_correct)
    assert expected.vector.count_nonzero() > 0
    dense_logits = Dense(parameters, gradient, groups, products).logits(xs[0])
    torch.testing.assert_close(dense_logits, mapped.logits(xs[0]), rtol=1e-4, atol=1e-5)


def test_hits_count_the_first_of_equal_logits():
    logits = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0]])[:, :, None]
    assert hits(logits, torch.tensor([[[0]], [[2]]])).tolist() == [1, 0]
    assert hits(logits, torch.tensor([[[1]], [[1]]])).tolist() == [0, 1]


def test_memory_of_a_member():
    mlp = network("mlp")
    parameters = sum(p.numel() for p in mlp.parameters())
    assert member_bytes(mlp, (1, 8, 8), 10) > 5 * 4 * parameters
    # a batch is kept once per image, and the weights are not counted with the images
    growth = member_bytes(mlp, (1, 8, 8), 20) - member_bytes(mlp, (1, 8, 8), 10)
    assert growth == 2 * 10 * (kept_bytes(mlp, (1, 8, 8), 3) - kept_bytes(mlp, (1, 8, 8), 2))
    assert growth < 2 * 4 * 10 * 2000
    cnn = build_model("cnn", (3, 32, 32), 10, 0)
    assert member_bytes(cnn, (3, 32, 32), 250) > 250 * 4 * 64 * 32 * 32 * 2


def test_fewer_of_the_larger_fit():
    small, large = (members_that_fit(network(name), (1, 8, 8), 100, CPU) for name in ("linear", "mlp"))
    assert 1 < large < small
    assert free_memory(CPU) > 2**20
    assert members_that_fit(network("mlp"), (1, 8, 8), 10**12, CPU) == 1


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("transposed", [False, True])
def test_products(onednn, count, transposed):
    multiply = choose_products(onednn, CPU)
    if onednn and multiply is products:
        pytest.skip("PyTorch has no oneDNN here")
    m, n, inner = 64, 130, 128
    assert m * n * inner > SMALLEST
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(count, m, inner, generator=generator)
    b = torch.randn(count, n, inner, generator=generator)
    if transposed:
        a, b = a.mT.contiguous().mT, b.mT.contiguous().mT
    expected = torch.einsum("kmi,kni->kmn", a.double(), b.double()).float()
    torch.testing.assert_close(multiply(a, b), expected, rtol=1e-4, atol=1e-4)
    out = torch.empty(count, m, n)
    assert multiply(a, b, out=out) is out
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-4)


def test_onednn_is_for_x86_only_and_only_where_it_is_wanted(monkeypatch):
    assert choose_products(False, CPU) is products
    assert choose_products(True, torch.device("cuda")) is products
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert choose_products(True, CPU) is products
    small = torch.ones(2, 3, 4)
    assert onednn_products(small, small).tolist() == [[[4.0] * 3] * 3] * 2
