"""Learning rates by epoch: values worked out by hand, and those of PyTorch's schedulers."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from src.errors import UserError
from src.training.schedules import Constant, Cosine, Linear, Schedule, Step
from tests.training.examples import solo, specification

schedulers = torch.optim.lr_scheduler


def factors(schedule: Schedule, epochs: int) -> list[float]:
    return [schedule.factor(epoch, epochs) for epoch in range(epochs)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Cosine(), [1, 0.8535533906, 0.5, 0.1464466094]),
        (Cosine(warmup=2), [1 / 3, 2 / 3, 1, 0.5]),
        (Step(milestones=[1, 3], decay=0.1), [1, 0.1, 0.1, 0.01]),
        (Step(milestones=[3], decay=0.5, warmup=1), [0.5, 1, 1, 0.5]),
        (Linear(), [1, 0.75, 0.5, 0.25]),
        (Linear(end=0.5, warmup=2), [1 / 3, 2 / 3, 1, 0.75]),
        (Constant(), [1, 1, 1, 1]),
        (Constant(warmup=3), [0.25, 0.5, 0.75, 1]),
        (Constant(warmup=9), [0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_by_hand(schedule, expected):
    schedule.check("trainer.schedule")
    assert factors(schedule, 4) == pytest.approx(expected, rel=1e-9)


@dataclass(frozen=True)
class OfATensor(Schedule):
    def annealed(self, epoch, epochs):
        return torch.tensor(0.5)


def test_a_learning_rate_is_a_number_whatever_the_schedule_gives():
    rate = specification("linear", schedule=OfATensor(), lr=0.5).learning_rate(0)
    assert (type(rate), rate) == (float, 0.25)


@dataclass(frozen=True)
class Nonsense(Schedule):
    """What is no factor in the last epoch of three."""

    given: Any = None

    def annealed(self, epoch, epochs):
        return 1.0 if epoch < 2 else self.given


@pytest.mark.parametrize("given", [None, "1", [1], 1j, -1.0, math.nan, math.inf])
def test_what_is_no_rate_is_refused_before_training(given):
    with pytest.raises(UserError, match=r"trainer.schedule=nonsense.* gave .* in epoch 2: .* finite number, 0 or more"):
        solo(specification("linear", epochs=3, schedule=Nonsense(given=given)))
    solo(specification("linear", epochs=2, schedule=Nonsense(given=given)))


@pytest.mark.parametrize(
    ("schedule", "theirs"),
    [
        (Cosine(), lambda sgd: schedulers.CosineAnnealingLR(sgd, 12)),
        (Step(milestones=[3, 7], decay=0.2), lambda sgd: schedulers.MultiStepLR(sgd, [3, 7], 0.2)),
        (Linear(end=0.1), lambda sgd: schedulers.LinearLR(sgd, 1.0, 0.1, total_iters=12)),
    ],
)
def test_as_pytorch_does(schedule, theirs):
    sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = theirs(sgd)
    spec = specification("linear", epochs=12, lr=0.1, schedule=schedule)
    for epoch in range(12):
        assert spec.learning_rate(epoch) == pytest.approx(sgd.param_groups[0]["lr"], rel=1e-9)
        sgd.step()
        scheduler.step()


def test_the_papers_rates_to_the_last_bit():
    spec = specification("linear", epochs=200, lr=0.1)
    expected = [0.1 * 0.5 * (1 + math.cos(math.pi * epoch / 200)) for epoch in range(200)]
    assert [spec.learning_rate(epoch) for epoch in range(200)] == expected
    assert (expected[0], round(expected[199], 9)) == (0.1, 6.168e-6)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Cosine(warmup=-1), "trainer.schedule.warmup=-1 .* at least 0"),
        (Step(milestones=[5, 3]), r"trainer.schedule.milestones=\[5, 3\] .* rise; for example"),
        (Step(milestones=[0, 3]), "epochs of 1 or later"),
        (Step(decay=0.0), "trainer.schedule.decay=0.0 .* above 0"),
        (Linear(end=-0.5), "trainer.schedule.end=-0.5"),
    ],
)
def test_settings_out_of_their_limits(schedule, words):
    with pytest.raises(UserError, match=words):
        schedule.check("trainer.schedule")


def test_specifications_can_be_compared_and_hashed():
    one, other = (specification("linear", schedule=Step(milestones=[k])) for k in (2, 3))
    assert len({one, other, specification("linear", schedule=Step(milestones=[2]))}) == 2
