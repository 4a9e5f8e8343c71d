"""A stacked training is the same bit for bit in whatever stack, on its own or not, uninterrupted or resumed."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from src.training import products
from src.training.optimizers import Adam, Torch
from src.training.products import Products
from src.training.state import Member
from tests.training import examples
from tests.training.examples import Perceptron, equal, member, patterns, specification, stacked

BATCHES = [(0, 0)] * 5 + [(1, 0), (1, 2), (1, 2), (2, 0), (3, 1)]
"""Seed and iteration of each member: groups of 5, 1, 2, 1 and 1 that share their batches."""


@pytest.fixture(params=[1, 2], autouse=True)
def threads(request) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("linear", {"batch_size": 250}),
        ("mlp", {"batch_size": 250, "validation_fraction": 0.2}),
        ("mlp", {"optimizer": Adam(), "lr": 0.001}),
        ("odd", {"batch_size": 70}),
        ("odd", {"optimizer": Torch(name="RMSprop"), "lr": 0.001}),
        ("mlp", {"precision": "bf16"}),
    ],
)
def test_any_composition_gives_the_same_bits(model, settings, monkeypatch):
    # widths at which no member but the first begins at a multiple of 64 bytes
    monkeypatch.setitem(examples.NETWORKS, "odd", lambda: Perceptron(5, 11))
    spec, chance = specification(model, **settings), random.Random(0)
    pool = [member(spec, *batches, alive=1 - k / 10) for k, batches in enumerate(BATCHES)]
    engine = stacked(spec, patterns(500, 250))
    whole = engine.train(pool)
    for size in (1, 2, 3, 7):
        chosen, states, epochs = chance.sample(range(len(pool)), size), {}, chance.choice([1, 2])
        engine.train([pool[i] for i in chosen], lambda end: _keep(end, epochs, chosen, states))  # noqa: B023
        # some have finished or left, others begin
        going_on: list[Member] = [replace(m, checkpoint=states.get(i)) for i, m in enumerate(pool)]
        places = chance.sample(range(len(pool)), chance.choice([1, 4])) + chosen[1:] + chosen[:1]
        for i, result in zip(places, engine.train([going_on[i] for i in places]), strict=True):
            assert equal(result.last, whole[i].last)
            assert equal(result.best, whole[i].best)
            assert (result.history, result.best_epoch) == (whole[i].history, whole[i].best_epoch)


def _keep(end, epochs: int, chosen: list[int], states: dict) -> None:
    if end.epochs_done == epochs:
        states |= {chosen[k]: end.state(k) for k in end.members}


@pytest.mark.parametrize(
    "size", [(10, 784, 250), (128, 784, 250), (10, 256, 250), (2, 784, 33), (5, 11, 33), (7, 785, 100)]
)
def test_a_members_product_is_the_same_in_any_batch(size):
    rows, inner, columns = size
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randn(1, rows, inner, generator=generator), torch.randn(1, inner, columns, generator=generator)
    exact, expected = Products("fp32"), Products("fp32")(a, b)[0]
    for count in (2, 3, 16, 48):
        factors, others = a.repeat(count, 1, 1), b.repeat(count, 1, 1)
        for product in (exact(factors, others), exact(factors, b[0])):
            assert all(torch.equal(own, expected) for own in product)
    torch.testing.assert_close(expected, a[0] @ b[0], rtol=1e-4, atol=1e-4)


def test_a_product_that_a_trial_finds_inexact_is_not_joined(monkeypatch):
    monkeypatch.setattr(products, "_joined_is_exact", lambda *_: False)
    monkeypatch.setattr(products, "_joined", None)
    a, b = torch.ones(1, 3, 4), torch.ones(1, 4, 2)
    assert Products("fp32")(a, b).tolist() == [[[4.0] * 2] * 3]
    assert Products("fp32")(a.expand(3, -1, -1), b[0]).sum() == 72
