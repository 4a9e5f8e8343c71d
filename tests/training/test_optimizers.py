"""Optimizers on vectors: PyTorch's numbers, solo and stacked, resumed bit for bit; and those that cannot be used."""

import pkgutil
import subprocess
import sys
from dataclasses import dataclass, fields, replace

import pytest
import torch
from omegaconf import OmegaConf

from src.errors import UserError
from src.training.checks import check_optimizer
from src.training.optimizers import Adam, AdamW, Optimizer, Sgd, Torch
from src.training.state import renew
from tests.support import ROOT
from tests.training.examples import distance, equal, mixed_members, patterns, solo, specification, stacked

ELEMENTWISE = [
    Sgd(momentum=0.0, nesterov=False),
    Adam(),
    AdamW(weight_decay=0.1),
    Torch(name="RMSprop", options={"momentum": 0.5, "centered": True}),
    Torch(name="NAdam"),
    Torch(name="ASGD"),
]
STEPS = 4
GRADIENTS = torch.randn(STEPS, 5, generator=torch.Generator().manual_seed(1))


def trained(optimizer: Optimizer, rates=(0.1, 0.1, 0.01, 0.001)) -> torch.Tensor:
    parameters = torch.linspace(-1, 1, 5)
    state = optimizer.state(parameters)
    for gradient, lr in zip(GRADIENTS, rates, strict=True):
        optimizer.step(parameters, gradient, state, lr)
    return parameters


def theirs(name: str, rates=(0.1, 0.1, 0.01, 0.001), **options) -> torch.Tensor:
    leaf = torch.nn.Parameter(torch.linspace(-1, 1, 5))
    optimizer = getattr(torch.optim, name)([leaf], **options)
    for gradient, lr in zip(GRADIENTS, rates, strict=True):
        leaf.grad = gradient.clone()
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
    return leaf.detach()


def test_sgd_by_hand():
    # w = 1, g = 1: v = 1 + 0.1, step 0.5 (1.1 + 0.9 1.1); then v = 0.99 + g + 0.1 w
    sgd, w, state = Sgd(weight_decay=0.1), torch.tensor([1.0]), {"momentum_buffer": torch.zeros(1)}
    sgd.step(w, torch.tensor([1.0]), state, 0.5)
    assert w.item() == pytest.approx(1 - 0.5 * 2.09)
    sgd.step(w, torch.tensor([1.0]), state, 0.5)
    velocity = 0.99 + 1 + 0.1 * -0.045
    assert state["momentum_buffer"].item() == pytest.approx(velocity)
    assert w.item() == pytest.approx(-0.045 - 0.5 * (0.9955 + 0.9 * velocity))


def test_adam_by_hand():
    # the first step is lr g / (|g| + eps) whatever g is; decoupled decay shrinks w by lr times decay before it
    w, decayed = torch.tensor([1.0, 1.0]), torch.tensor([1.0, 1.0])
    gradient = torch.tensor([100.0, -0.01])
    for optimizer, tensor in ((Adam(), w), (AdamW(weight_decay=0.5), decayed)):
        optimizer.step(tensor, gradient, optimizer.state(tensor), 0.1)
    assert w.tolist() == pytest.approx([0.9, 1.1])
    assert decayed.tolist() == pytest.approx([0.95 - 0.1, 0.95 + 0.1])


@pytest.mark.parametrize(
    ("ours", "name", "options"),
    [
        (Sgd(), "SGD", {"momentum": 0.9, "weight_decay": 5e-4, "nesterov": True, "fused": True}),
        (Sgd(momentum=0.0, nesterov=False), "SGD", {"weight_decay": 5e-4, "fused": True}),
        (Adam(beta1=0.8, weight_decay=0.1), "Adam", {"betas": (0.8, 0.999), "weight_decay": 0.1, "fused": True}),
        (AdamW(beta2=0.9), "AdamW", {"betas": (0.9, 0.9), "fused": True}),
        (
            Torch(name="Adagrad", options={"initial_accumulator_value": 0.5}),
            "Adagrad",
            {"initial_accumulator_value": 0.5},
        ),
        (Torch(name="NAdam"), "NAdam", {}),
        (Torch(name="Rprop"), "Rprop", {}),
    ],
)
def test_bit_for_bit_as_the_class_of_pytorch(ours, name, options):
    rates = (0.01,) * STEPS if name == "Rprop" else (0.1, 0.1, 0.01, 0.001)
    assert torch.equal(trained(ours, rates), theirs(name, rates, **options))


@pytest.mark.parametrize("optimizer", ELEMENTWISE, ids=lambda optimizer: optimizer.short)
def test_stacked_as_solo_and_resumed_bit_for_bit(optimizer):
    lr = 0.05 if optimizer in (Sgd(momentum=0.0, nesterov=False), Torch(name="ASGD")) else 0.002
    spec, dataset = specification("linear", epochs=3, lr=lr, optimizer=optimizer), patterns(300, 200)
    members = mixed_members(spec)[:3]
    alone, states = solo(spec, dataset).train(members), {}

    def keep(end):
        if end.epochs_done == 2:
            states.update({index: end.state(index) for index in end.members})

    engine = stacked(spec, dataset)
    together = engine.train(members, keep)
    resumed = engine.train([replace(m, checkpoint=states[k]) for k, m in enumerate(members)])
    apart = solo(spec, dataset).train([replace(members[1], checkpoint=states[1])])
    for one, other, again in zip(alone, together, resumed, strict=True):
        assert distance(one.last, other.last) < 1e-4
        assert equal(other.last, again.last)
        assert other.history == again.history
    assert distance(apart[0].last, alone[1].last) < 1e-4
    start = members[0].request
    assert distance(alone[0].last, {k: v * start.masks.get(k, 1) for k, v in start.start.items()}) > 1e-3
    assert all((together[0].last[name][~mask] == 0).all() for name, mask in start.masks.items())


def test_solo_resumes_bit_for_bit_where_the_checkpoint_was_kept_in_between():
    spec, dataset = specification("mlp", epochs=3, lr=0.002, optimizer=Adam()), patterns(300, 200)
    member, states = mixed_members(spec)[0], []

    def keep(end):
        state = end.state(0)
        copied = {name: value.clone() for name, value in state.optimizer.items()}
        states.append(replace(state, optimizer=copied, history=list(state.history)))

    (whole,) = solo(spec, dataset).train([member], keep)
    assert states[0].optimizer["step"].item() == 3
    (resumed,) = solo(spec, dataset).train([replace(member, checkpoint=states[0])])
    assert equal(whole.last, resumed.last)
    assert equal(whole.best, resumed.best)
    assert whole.history == resumed.history
    assert len(states[0].history) == 1


@dataclass(frozen=True)
class Signs(Optimizer):
    """An outsider's: a step of the learning rate against the gradient's sign."""

    def step(self, parameters, gradient, state, lr):
        parameters.sub_(lr * gradient.sign())


@dataclass(frozen=True)
class Normalised(Optimizer):
    def step(self, parameters, gradient, state, lr):
        parameters.sub_(lr * gradient / gradient.norm())


@dataclass(frozen=True)
class Restless(Optimizer):
    def step(self, parameters, gradient, state, lr):
        parameters.sub_(lr * (gradient + 1))


@dataclass(frozen=True)
class Counting(Optimizer):
    def step(self, parameters, gradient, state, lr):
        state["steps"] = state.get("steps", 0) + 1


class Rebinding(Optimizer):
    def step(self, parameters, gradient, state, lr):
        parameters = parameters - lr * gradient


class Noisy(Optimizer):
    def step(self, parameters, gradient, state, lr):
        parameters -= lr * gradient * (1 + torch.rand_like(gradient))


@dataclass(frozen=True)
class Unfinished(Optimizer):
    pass


def test_one_of_ones_own():
    assert check_optimizer(Signs()) == 0
    spec = specification("linear", epochs=2, lr=0.002, augment=False, optimizer=Signs())
    members = mixed_members(spec)
    for one, other in zip(solo(spec).train(members), stacked(spec).train(members), strict=True):
        assert distance(one.last, other.last) < 2e-2  # a sign may turn where a gradient is a rounding error
        assert one.history[1].train.loss < one.history[0].train.loss


def test_vectors_of_the_state_are_counted():
    optimizers = Sgd(momentum=0.0, nesterov=False), Sgd(), Adam(), Torch(name="RMSprop")
    assert [check_optimizer(optimizer) for optimizer in optimizers] == [0, 1, 2, 1]


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (Normalised(), "normalised cannot be used: a parameter's parameters depends on the other"),
        (Restless(), "restless .* moves weights that are zero"),
        (Counting(), "its state steps is neither a scalar tensor nor"),
        (Rebinding(), r"rebinding .* leaves the parameters as they are \(change them in place\)"),
        (Noisy(), "noisy cannot be used: it draws random numbers, which an optimizer cannot"),
        (Unfinished(), "Unfinished has to say how it steps"),
        (Torch(name="LBFGS"), "LBFGS.* cannot be used: it fails on a vector .*closure"),
        (Torch(name="Muon"), "Muon.* fails on a vector"),
        (Torch(name="Adafactor"), "Adafactor.* depends on the other parameters"),
        (Torch(name="SparseAdam"), "SparseAdam.* fails on a vector"),
        (Torch(name="Adamm"), "trainer.optimizer.name=Adamm .* one of ASGD, Adadelta"),
        (Torch(name="Adam", options={"rate": 1}), "fails .*unexpected keyword argument 'rate'"),
        (Torch(name="lr_scheduler"), "name=lr_scheduler is not allowed"),
        (
            Sgd(momentum=0.0),
            "trainer.optimizer.momentum=0.0 .* above 0 .*; for example trainer.optimizer.nesterov=false",
        ),
        (Sgd(momentum=1.0), "trainer.optimizer.momentum=1.0 .* below 1"),
        (Adam(beta2=1.0), "trainer.optimizer.beta2=1.0"),
        (AdamW(eps=0.0), "trainer.optimizer.eps=0.0 .* above 0"),
        (Adam(weight_decay=-1.0), "trainer.optimizer.weight_decay=-1.0"),
    ],
)
def test_what_cannot_be_used_is_refused_before_training(optimizer, words):
    with pytest.raises(UserError, match=words):
        solo(specification("linear", optimizer=optimizer))


def test_a_state_is_renewed_in_place():
    state = {"kept": torch.zeros(2), "dropped": torch.zeros(2)}
    place = state["kept"]
    values = {"kept": torch.ones(2), "new": torch.tensor(3.0)}
    renew(state, values)
    assert state["kept"] is place
    assert state["new"] is not values["new"]
    assert {name: value.tolist() for name, value in state.items()} == {"kept": [1, 1], "new": 3}


def test_specifications_with_options_can_be_hashed():
    one, other = Torch(name="RMSprop", options={"alpha": 0.9}), Torch(name="RMSprop", options={"alpha": 0.8})
    assert len({one, other, Torch(name="RMSprop", options={"alpha": 0.9})}) == 2


@pytest.mark.parametrize("path", sorted((ROOT / "conf/trainer").glob("*/*.yaml")), ids=lambda path: path.stem)
def test_choices_are_the_classes_with_their_defaults(path):
    values = OmegaConf.to_container(OmegaConf.load(path))
    cls = pkgutil.resolve_name(values.pop("_target_"))
    assert cls.__name__.lower() == path.stem
    assert cls(**values) == cls()
    assert values.keys() == {field.name for field in fields(cls)}


def test_settings_need_no_pytorch_and_training_no_compiler():
    code = """
import sys
import src.training.spec
assert "torch" not in sys.modules
import tests.training.examples as examples
from src.training.optimizers import Adam
for optimizer in (Adam(), examples.Sgd()):
    spec = examples.specification("cnn", epochs=1, optimizer=optimizer)
    examples.solo(spec, examples.patterns(100, 50)).train([examples.member(spec)])
spec = examples.specification("mlp", epochs=1)
examples.stacked(spec, examples.patterns(100, 50)).train([examples.member(spec)])
print([name for name in ("torch._dynamo", "sympy", "torch._inductor") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
