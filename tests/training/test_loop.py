"""One training: where it starts, which epochs it trains, how it goes on; and scores of a network."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from src.messages import TrainRequest
from src.pruning.gradient_scores import Snip, Synflow
from src.training.alone import Alone
from src.training.backend import Backend
from src.training.loop import SoloEngine
from src.training.schedules import Step
from src.training.state import Diverged, Member
from tests.training.examples import (
    CPU,
    SHAPE,
    equal,
    initial_state,
    member,
    network,
    patterns,
    solo,
    specification,
    stacked,
)

CUDA = pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
ENGINES = pytest.mark.parametrize("engine", [solo, stacked])


def with_request(m: Member, **changes) -> Member:
    return replace(m, request=replace(m.request, **changes))


def test_one_step_by_hand():
    # a batch of two images, one epoch: clip the gradient of all weights, zero the pruned ones' part, step
    spec = specification("linear", epochs=1, batch_size=2, lr=0.5, clip_norm=0.1, momentum=0.0, nesterov=False)
    spec = replace(spec, shuffle=False, augment=False)
    dataset, m = patterns(2, 10), member(spec, alive=0.5)
    (trained,) = solo(spec, dataset).train([m])
    model, mask = network("linear"), m.request.masks["linear.weight"]
    with torch.no_grad():
        model.linear.weight.mul_(mask)
    images = (dataset.train_images / 255 - 0.5) / 0.25
    loss = cross_entropy(model(images), dataset.train_labels)
    loss.backward()
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in model.parameters()))
    weight, decay = model.linear.weight, 5e-4
    step = weight.grad * 0.1 / norm * mask + decay * weight
    assert norm > 0.1
    torch.testing.assert_close(trained.last["linear.weight"], (weight - 0.5 * step).detach())
    assert trained.history[0].train.loss == pytest.approx(loss.item(), rel=1e-6)
    assert trained.history[0].learning_rate == 0.5


def test_it_starts_from_the_state_that_it_is_given_with_pruned_weights_zero():
    # no learning: what comes out is what went in
    spec = specification("cnn", epochs=1, lr=0.0)
    start = initial_state("cnn", 5)
    start["blocks.1.num_batches_tracked"] += 7
    m = with_request(member(spec, alive=0.5), start=start)
    (trained,) = solo(spec, patterns(200, 50)).train([m])
    for name, tensor in start.items():
        if "running" not in name and "num_batches" not in name:
            assert torch.equal(trained.last[name], tensor * m.request.masks.get(name, 1))
    assert int(trained.last["blocks.1.num_batches_tracked"]) == 7 + 2
    assert start["linear.weight"].count_nonzero() == start["linear.weight"].numel()


@ENGINES
def test_epochs_and_their_learning_rates_are_those_of_the_schedule(engine):
    spec = specification("linear", epochs=6, lr=0.1, schedule=Step(milestones=[2, 4], decay=0.5))
    whole, late, early = member(spec), member(spec), with_request(member(spec), until=3)
    late = with_request(late, first_epoch=3)
    seen = []
    results = engine(spec, patterns()).train(
        [whole, late, early], lambda end: seen.append((sorted(end.members), end.epochs_done, end.finished))
    )
    epochs = [[(e.epoch, e.learning_rate) for e in result.history] for result in results]
    rates = [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]
    assert epochs[0] == [*enumerate(rates)]
    assert epochs[1] == [*enumerate(rates)][3:]
    assert epochs[2] == [*enumerate(rates)][:3]
    assert all(0 <= result.best_epoch - result.history[0].epoch < len(result.history) for result in results)
    assert all(result.best_metrics.epoch == result.best_epoch for result in results)
    assert sorted(seen) == sorted(
        [([0], k, k == 6) for k in range(1, 7)]
        + [([1], k, k == 6) for k in range(4, 7)]
        + [([2], k, k == 3) for k in range(1, 4)]
    )


@ENGINES
def test_late_epochs_from_the_state_of_an_early_one_are_the_whole_training_but_for_momentum(engine):
    # without momentum nothing of the optimizer is lost: rewinding to epoch 1 under full masks changes nothing
    spec = specification("mlp", epochs=3, momentum=0.0, nesterov=False)
    first = with_request(member(spec), until=1)
    (whole, early) = engine(spec).train([member(spec), first])
    (late,) = engine(spec).train([with_request(member(spec), start=early.last, first_epoch=1)])
    assert equal(late.last, whole.last)
    assert early.history + late.history == whole.history


@ENGINES
def test_members_of_other_epochs_are_trained_apart_and_resumed(engine):
    spec = specification("mlp", epochs=4)
    late = with_request(member(spec), first_epoch=2)
    members = [member(spec), late, with_request(member(spec, seed=1), until=3)]
    states = {}

    def keep(end):
        for index in end.members:
            state = end.state(index)
            copied = {name: value.clone() for name, value in state.optimizer.items()}
            states[index, end.epochs_done] = replace(state, optimizer=copied, history=list(state.history))

    whole = engine(spec).train(members, keep)
    # members 0 and 1 both go on with epoch 3, after three epochs and after one
    checkpoints = states[0, 3], states[1, 3], states[2, 1]
    resumed = engine(spec).train([replace(m, checkpoint=c) for m, c in zip(members, checkpoints, strict=True)])
    for one, other in zip(whole, resumed, strict=True):
        assert equal(one.last, other.last)
        assert one.history == other.history
        assert one.best_epoch == other.best_epoch


def test_the_best_epoch_is_the_first_of_equals():
    spec = specification("linear", epochs=4, lr=0.0)
    for engine in (solo, stacked):
        late = with_request(member(spec), first_epoch=1)
        first, second = engine(spec).train([member(spec), late])
        assert (first.best_epoch, second.best_epoch) == (0, 1)


def test_a_diverging_training_is_answered_and_the_next_one_is_as_alone():
    spec = specification("linear", epochs=1)
    bad = with_request(member(spec), start=initial_state("linear", 0) | {"linear.bias": torch.full((10,), torch.nan)})
    first, second = solo(spec).train([bad, member(spec)])
    assert isinstance(first, Diverged)
    assert "nan in iteration 0, epoch 0: lower trainer.lr (now 0.05)" in str(first)
    assert equal(second.last, solo(spec).train([member(spec)])[0].last)


def test_a_buffer_outside_the_state_dict_is_left_to_the_model():
    spec = specification("linear", epochs=1)
    model = network("linear")
    model.register_buffer("scale", torch.ones(3), persistent=False)
    (trained,) = SoloEngine(spec, patterns(), model, CPU).train([member(spec)])
    assert list(trained.last) == ["linear.weight", "linear.bias"]


class Centred(torch.nn.Module):
    """Takes off a running mean, which it writes into its buffer or puts in its place."""

    def __init__(self, writes: bool) -> None:
        super().__init__()
        self.writes, self.linear = writes, network("linear").linear
        self.register_buffer("mean", torch.zeros(64))

    def forward(self, x):
        x = x.flatten(1)
        if self.training:
            mean = (self.mean + x.detach().mean(0)) / 2
            self.mean = self.mean.copy_(mean) if self.writes else mean
        return self.linear(x - self.mean)


def test_a_buffer_may_be_replaced_instead_of_written():
    spec = specification("linear", epochs=2)
    m = member(spec)
    m = with_request(m, start={**m.request.start, "mean": torch.zeros(64)})
    written, replaced = (SoloEngine(spec, patterns(), Centred(writes), CPU).train([m, m]) for writes in (True, False))
    assert written[0].last["mean"].count_nonzero() > 0
    assert all(equal(one.last, written[0].last) and equal(one.best, written[0].best) for one in replaced)


def gradient_of_the_first_batch(model, batches):
    """SNIP's: |w g|, by the network's own gradients; spoils whatever it can get at."""
    images, labels = next(iter(batches))
    cross_entropy(model(images), labels).backward()
    scores = {name: (p * p.grad).abs() for name, p in model.named_parameters()}
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(7.0)
    model.train().zero_grad()
    model.requires_grad_(False)
    return scores


@pytest.mark.parametrize(("engine", "name"), [(solo, "mlp"), (solo, "cnn"), (stacked, "mlp")])
def test_scores_leave_no_trace(engine, name):
    spec, dataset = specification(name, epochs=1, lr=0.01), patterns(200, 100)
    plain, scored = engine(spec, dataset), engine(spec, dataset)
    state = initial_state(name, 3)
    scores = scored.score(state, gradient_of_the_first_batch, seed=0)
    assert equal(state, initial_state(name, 3))
    assert {name: score.shape for name, score in scores.items()} == {
        name: p.shape for name, p in network(name).named_parameters()
    }
    assert not any(score.requires_grad for score in scores.values())
    assert all(score.sum() > 0 for score in scores.values() if score.dim() > 1)
    (one,), (other,) = plain.train([member(spec)]), scored.train([member(spec)])
    assert equal(one.last, other.last)
    assert plain.evaluate(state) == scored.evaluate(state)
    again = scored.score(state, gradient_of_the_first_batch, seed=0)
    assert equal(scores, again)
    assert not equal(scores, scored.score(state, gradient_of_the_first_batch, seed=1))


def test_scoring_sees_every_training_image_once_without_augmentation():
    spec, dataset = specification("linear", batch_size=70), patterns(200, 50)
    seen = []

    def function(model, batches):
        assert not model.training
        assert torch.is_grad_enabled()
        seen.extend([list(batches), list(batches)])
        return {"sizes": torch.tensor([len(labels) for _, labels in batches])}

    with torch.no_grad():
        scores = solo(spec, dataset).score(initial_state("linear", 0), function, seed=4)
    assert scores["sizes"].tolist() == [70, 70, 60]
    first, second = ([torch.cat(parts) for parts in zip(*batches, strict=True)] for batches in seen)
    assert torch.equal(first[0], second[0])
    expected = (dataset.train_images.float() / 255 - 0.5) / 0.25
    order = torch.from_numpy(np.random.default_rng([4, 0x5C02E]).permutation(200))
    assert torch.equal(first[0], expected[order])
    assert torch.equal(first[1], dataset.train_labels[order])
    assert order.tolist() != sorted(order.tolist())


def test_frozen_parameters_stay_and_the_others_learn_as_in_pytorch():
    spec = specification("mlp", epochs=1, batch_size=200, lr=0.5, clip_norm=0.1, momentum=0.0, nesterov=False)
    spec = replace(spec, shuffle=False, augment=False)
    dataset, m = patterns(200, 10), member(spec, alive=0.5)
    model, same = network("mlp"), network("mlp")
    for net in (model, same):
        net.blocks[2].requires_grad_(False)
    (trained,) = SoloEngine(spec, dataset, model, CPU).train([m])
    with torch.no_grad():
        for name, mask in m.request.masks.items():
            same.get_parameter(name).mul_(mask)
    cross_entropy(same((dataset.train_images / 255 - 0.5) / 0.25), dataset.train_labels).backward()
    torch.nn.utils.clip_grad_norm_(same.parameters(), 0.1)
    for name, p in same.named_parameters():
        if p.requires_grad:
            step = p.grad * m.request.masks.get(name, 1) + 5e-4 * p
            torch.testing.assert_close(trained.last[name], (p - 0.5 * step).detach())
        else:
            assert torch.equal(trained.last[name], p)


class Tied(torch.nn.Module):
    """A layer that is gone through twice under two names, with BatchNorm after it."""

    def __init__(self) -> None:
        super().__init__()
        layer = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.BatchNorm1d(64), torch.nn.ReLU())
        self.layers = torch.nn.Sequential(layer, layer, torch.nn.Linear(64, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x.flatten(1))


@pytest.mark.parametrize("score", [Snip(), Synflow()])
def test_layers_may_share_what_is_trained_and_pruned(score):
    engine, model = SoloEngine(specification("mlp", epochs=1), patterns(), Tied(), CPU), Tied()
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    masks = {
        "layers.0.0.weight": torch.arange(64 * 64).view(64, 64) % 2 == 0,
        "layers.2.weight": torch.ones(10, 64, dtype=torch.bool),
    }
    (trained,) = engine.train([Member(engine.spec, TrainRequest(0, masks, start))])
    assert list(trained.last) == list(start)
    for name in ("0.weight", "1.running_mean"):
        assert torch.equal(trained.last[f"layers.0.{name}"], trained.last[f"layers.1.{name}"])
        assert not torch.equal(trained.last[f"layers.0.{name}"], start[f"layers.0.{name}"])
    state = trained.last | {"layers.1.0.weight": torch.ones(64, 64)}  # the first name counts
    scores = engine.score(state, lambda network, batches: score.of_network(network, batches, masks), seed=0)
    assert list(scores) == list(masks)
    assert not scores["layers.0.0.weight"][~masks["layers.0.0.weight"]].any()
    assert scores["layers.0.0.weight"].any()


def test_a_request_for_no_epochs_gives_back_its_start():
    spec = specification("linear", epochs=2)
    start = initial_state("linear", 0)
    (trained,) = solo(spec).train([Member(spec, TrainRequest(1, {}, start, first_epoch=2))])
    assert equal(trained.last, start)
    assert trained.history == []


def trained_by(engine, gradient=None):
    """All that a training of an engine leaves, as bits; with a gradient other than the engine's own."""
    engine._gradient = gradient or engine._gradient
    result = engine.train([member(engine.spec, alive=0.5)])[0]
    return [tensor.view(torch.int32) for tensor in result.last.values()], result.history


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_the_gradient_written_out_leaves_the_bits_of_autograds(name):
    engine = solo(specification(name, batch_size=70))
    assert isinstance(engine._gradient, Alone)
    bits, history = trained_by(engine)
    usual, usual_history = trained_by(engine, engine._autograd)
    assert history == usual_history
    assert all(map(torch.equal, bits, usual))


def test_dead_units_have_the_same_zeros():
    engine = solo(specification("mlp"))
    engine.flat.unflatten(engine.flat.vector)["blocks.0.bias"].fill_(-100)
    found = []
    for gradient in (engine._gradient, engine._autograd):
        gradient(-torch.rand(9, *SHAPE), torch.arange(9))
        found.append(engine.flat.gradient.clone().view(torch.int32))
    assert torch.equal(*found)


@pytest.mark.parametrize(("name", "settings"), [("cnn", {}), ("linear", {"precision": "bf16"})])
def test_all_else_is_left_to_autograd(name, settings):
    engine = solo(specification(name, **settings))
    assert engine._gradient == engine._autograd


def test_a_gradient_of_other_bits_is_not_taken(monkeypatch):
    monkeypatch.setattr(Alone, "__call__", lambda _, x, y: (x.sum() + torch.zeros(len(y), 10), y.sum() * 0.5))
    engine = solo(specification("linear"))
    assert engine._gradient == engine._autograd


@pytest.mark.parametrize("share", [0.1, 1e-9])
def test_dropout_is_seen_and_draws_nothing(share):
    spec = specification("linear")
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(share), torch.nn.Linear(64, 10)).eval()
    before = torch.get_rng_state()
    engine = SoloEngine(spec, patterns(), model, CPU)
    assert engine._gradient == engine._autograd
    assert torch.equal(torch.get_rng_state(), before)


def dropping(*backend, device=CPU):
    """An engine whose network has dropout; PyTorch's generator is wherever it is."""
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(64, 10))
    return SoloEngine(specification("drop"), patterns(250, 50), model, device, *backend)


def dropping_member(seed=0, iteration=0):
    start = {"2.weight": torch.zeros(10, 64), "2.bias": torch.zeros(10)}
    return Member(specification("drop", seed=seed), TrainRequest(iteration, {}, start))


def test_what_a_network_draws_is_decided_by_seed_iteration_and_epoch():
    engine, before = dropping(), torch.get_rng_state()
    (whole,) = engine.train([dropping_member()])
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    others = [dropping_member(seed=1), dropping_member(iteration=1)]
    *different, again = dropping().train([*others, dropping_member()])
    assert equal(again.last, whole.last)
    assert not any(equal(other.last, whole.last) for other in different)
    assert again.history == whole.history


def test_a_network_that_draws_goes_on_as_if_it_had_not_been_interrupted():
    member, first = dropping_member(), []
    (whole,) = dropping().train([member], lambda end: first.append(copy.deepcopy(end.state(0))) if not first else None)
    (resumed,) = dropping().train([replace(member, checkpoint=first[0])])
    assert equal(resumed.last, whole.last)
    assert resumed.history == whole.history


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=CUDA)])
def test_recording_a_step_draws_nothing(device):
    engine = dropping(Backend(compile="graph"), device=torch.device(device))
    first, again = engine.train([dropping_member(), dropping_member()])
    assert equal(first.last, again.last)
