"""Many trainings at once: each is what it would be alone, whatever happens to the others."""

import gc
import logging
import math
import weakref
from dataclasses import replace

import pytest
import torch

from src.training import stacked as stacked_module
from src.training.dense import Dense
from src.training.stack import Stack
from src.training.stacked_vector import StackedVector
from src.training.state import Diverged
from tests.training.examples import (
    SHAPE,
    distance,
    equal,
    initial_state,
    member,
    mixed_members,
    patterns,
    solo,
    specification,
    stacked,
)


def assert_alike(one, other, tolerance: float) -> None:
    """The same training up to rounding."""
    assert one.best_epoch == other.best_epoch
    assert distance(one.last, other.last) < tolerance
    assert distance(one.best, other.best) < tolerance
    for a, b in zip(one.history, other.history, strict=True):
        assert (a.epoch, a.learning_rate) == (b.epoch, b.learning_rate)
        for which in ("train", "test", "selection"):
            assert getattr(a, which).loss == pytest.approx(getattr(b, which).loss, rel=1e-4)
            assert getattr(a, which).accuracy == pytest.approx(getattr(b, which).accuracy, abs=0.3)


def assert_same(one, other) -> None:
    """The same training bit for bit."""
    assert equal(one.last, other.last)
    assert equal(one.best, other.best)
    assert one.history == other.history
    assert one.best_epoch == other.best_epoch


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("linear", {}),
        ("mlp", {}),
        ("mlp", {"clip_after_mask": True, "clip_norm": 0.1}),
        ("mlp", {"clip_norm": math.inf, "nesterov": False, "weight_decay": 0.0}),
        ("mlp", {"validation_fraction": 0.2, "batch_size": 70, "augment": False}),
    ],
)
def test_equals_solo(model, settings):
    spec = specification(model, **settings)
    members = mixed_members(spec)
    alone, together = solo(spec).train(members), stacked(spec).train(members)
    for one, other in zip(alone, together, strict=True):
        assert_alike(one, other, tolerance=1e-4)
    assert not equal(together[0].last, together[3].last)
    assert equal(together[1].last, together[4].last)


def test_clipping_and_masks_are_at_work():
    spec = specification("mlp", epochs=1)
    (plain,) = stacked(spec).train([member(spec)])
    (clipped,) = stacked(replace(spec, clip_norm=1e-3)).train([member(spec)])
    assert distance(plain.last, clipped.last) > 1e-3
    pruned = member(spec, alive=0.5)
    (result,) = stacked(spec).train([pruned])
    assert all((result.last[name][~mask] == 0).all() for name, mask in pruned.request.masks.items())


def test_members_that_are_at_different_epochs_and_one_that_is_done():
    spec = specification("linear")
    first, second = member(spec), member(spec, seed=1)
    states = {}
    whole = stacked(spec).train([first, second], lambda s: states.setdefault(s.epochs_done, s.state(1)))
    seen = []
    resumed = stacked(spec).train(
        [first, replace(second, checkpoint=states[2]), replace(second, checkpoint=states[3])],
        lambda s: seen.append((list(s.members), s.epochs_done, s.finished)),
    )
    for one, other in zip([*whole, whole[1]], resumed, strict=True):
        assert_same(one, other)
    assert seen == [([0], 1, False), ([0], 2, False), ([0], 3, True), ([1], 3, True)]


@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_a_member_that_diverges_leaves_the_others_as_they_were(model):
    spec = specification(model, epochs=2)
    good, bad = mixed_members(spec)[:3], member(spec, seed=1)
    start = initial_state(model, 1) | {"linear.bias": torch.full((10,), torch.nan)}
    bad = replace(bad, request=replace(bad.request, start=start))
    seen = []
    expected = stacked(spec).train(good)
    results = stacked(spec).train([*good[:2], bad, good[2]], lambda end: seen.append(sorted(end.members)))
    assert isinstance(results[2], Diverged)
    assert "nan in iteration 0, epoch 0" in str(results[2])
    assert "trainer.lr (now 0.05)" in str(results[2])
    assert seen == [[0, 1, 3]] * 2
    for one, other in zip(expected, [results[0], results[1], results[3]], strict=True):
        assert_same(one, other)


def test_divergence_in_a_later_epoch():
    spec = specification("mlp", epochs=3)
    states = {}
    stacked(spec).train([member(spec)], lambda s: states.setdefault(s.epochs_done, s.state(0)))
    state = states[1]
    state.current.parameters[7] = math.inf
    seen = []
    (result,) = stacked(spec).train([member(spec, checkpoint=state)], lambda s: seen.append(s.epochs_done))
    assert isinstance(result, Diverged)
    assert "epoch 1" in str(result)
    assert seen == []


@pytest.mark.parametrize(("max_members", "sizes"), [(2, [2, 2, 1]), (4, [3, 2]), (5, [5]), (None, [5])])
def test_what_does_not_fit_is_split(max_members, sizes, caplog):
    spec = specification("linear", epochs=1)
    seen = []
    with caplog.at_level(logging.INFO):
        results = stacked(spec, max_members=max_members).train(
            mixed_members(spec), lambda s: seen.append(len(s.members))
        )
    assert sorted(seen, reverse=True) == sizes
    assert ("do not fit" in caplog.text) == (len(sizes) > 1)
    for one, other in zip(solo(spec).train(mixed_members(spec)), results, strict=True):
        assert_alike(one, other, tolerance=1e-4)


def test_evaluation_is_the_solo_engines():
    spec = specification("mlp")
    state = initial_state("mlp", 3)
    assert stacked(spec).evaluate(state) == solo(spec).evaluate(state)


def test_a_stack_is_gone_when_it_has_trained(monkeypatch):
    """One is made for each iteration: none waits for Python's search for cycles to give its memory back."""
    made = []

    class Watched(Stack):
        def __init__(self, *words):
            super().__init__(*words)
            made.append(weakref.ref(self))

    monkeypatch.setattr(stacked_module, "Stack", Watched)
    spec = specification("mlp", epochs=1)
    gc.disable()
    try:
        stacked(spec, patterns(100), max_members=1).train([member(spec), member(spec, iteration=1)])
        assert [each() for each in made] == [None, None]
    finally:
        gc.enable()


def test_rooms_that_a_captured_step_writes_into_stay():
    engine = solo(specification("mlp"), patterns(100))
    parameters, gradient = (StackedVector.zeros(engine.flat.shapes, 1, torch.device("cpu"), torch.float32)
                            for _ in range(2))  # fmt: skip
    dense = Dense(parameters, gradient, [range(1)])
    dense.logits(torch.zeros(4, *SHAPE))
    small = [weakref.ref(room) for room in dense._rooms.values()]
    dense.logits(torch.zeros(8, *SHAPE))
    assert small
    assert all(room() is not None for room in small)
