"""Models as parts: their names, limits and checks; what is pruned; models of other libraries."""

import dataclasses
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from src.errors import UserError
from src.models.libraries import Timm, Torchvision
from src.models.model import ImageShape, Model, build_model, prunable_names
from src.models.plain import Cnn, Linear, Mlp
from src.models.residual import Resnet, WideResnet
from src.models.shipped import MODELS

CONF = Path(__file__).parents[2] / "conf" / "model"


@pytest.mark.parametrize("name", MODELS)
def test_conf_names_the_shipped_models(name):
    chosen = OmegaConf.load(CONF / f"{name}.yaml").model
    model = MODELS[name]
    assert chosen.pop("_target_") == f"{type(model).__module__}.{type(model).__name__}"
    expected = dataclasses.replace(model, prune_iterations=15 if "res" in name else 30)
    assert OmegaConf.to_object(OmegaConf.merge(type(model), chosen)) == expected
    model.check("model")


@pytest.mark.parametrize(
    ("model", "short"),
    [
        (Mlp(hidden=[64, 32]), "mlp-64-32"),
        (Cnn(widths=[8]), "cnn-8"),
        (Resnet(width=32), "resnet18-w32"),
        (Resnet(depth=3), "resnet26"),
        (WideResnet(depth=16, factor=4), "wresnet16x4"),
        (Torchvision(), "torchvision_resnet18"),
        (Torchvision(name="resnet50"), "resnet50"),
        (Torchvision(name="../x"), "torchvision_.._x"),
        (Timm(name="resnet10t.c3_in1k"), "timm_resnet10t.c3_in1k"),
    ],
)
def test_settings_that_are_not_the_papers_stand_in_the_short_name(model, short):
    assert model.short == short


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Mlp(hidden=[]), r"model.hidden=\[\] .*one width or more.*model.hidden=\[128,256\]"),
        (Mlp(hidden=[64, 0]), r"model.hidden=\[64,0\] .*at least 1"),
        (Cnn(widths=[-1]), r"model.widths=\[-1\] .*for example model.widths=\[64,128,256,512\]"),
        (Resnet(depth=0), "model.depth=0 .*at least 1"),
        (WideResnet(factor=0), "model.factor=0 .*at least 1"),
        (Linear(prune_iterations=-1), "model.prune_iterations=-1 .*at least 0"),
    ],
)
def test_a_setting_out_of_its_limits_is_named_with_what_is_allowed(model, message):
    with pytest.raises(UserError, match=message):
        model.check("model")


class Logits(nn.Module):
    """A linear layer of `outputs`; in training its logits come in a tuple where asked for."""

    def __init__(self, inputs: int, outputs: int, wrapped: bool) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(inputs)
        self.linear = nn.Linear(inputs, outputs)
        self.wrapped = wrapped

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor]:
        logits: Tensor = self.linear(self.norm(x.flatten(1)))
        return (logits,) if self.wrapped and self.training else logits


@dataclass(frozen=True)
class Mine(Model):
    """A model of a user's own, with mistakes to choose from."""

    inputs: int = 4
    outputs: int = 3
    wrapped: bool = False

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        return Logits(self.inputs, self.outputs, self.wrapped)


@dataclass(frozen=True)
class Unprunable(Model):
    """Only a normalisation."""

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(classes))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Mine(outputs=5), r"model=mine-outputs5 gives \[2, 5\] for two images in evaluation.*\[2, 3\].*`build`"),
        (Mine(wrapped=True), r"gives a tuple for two images in training mode.*one tensor of logits"),
        (Mine(inputs=9), r"model=mine-inputs9 cannot take images of 1x2x2.*another model or data set: "),
        (Timm(name="resnet18"), "pip install timm"),
        (Torchvision(), "takes images of 3 channels, these have 1"),
    ],
)
def test_a_network_is_tried_before_it_is_trained(model, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)  # as where it is not installed
    with pytest.raises(UserError, match=message):
        build_model(model, (1, 2, 2), 3, 0)


class Odd(nn.Linear):
    """A linear layer that keeps, or does, something else as well."""

    def __init__(self, what: str, classes: int) -> None:
        super().__init__(4, classes, dtype=torch.float64 if what == "double" else None)
        self.what, self.scale = what, nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        x = x.mul_(0.5) if self.what == ("trained" if self.training else "tested") else x
        return self.scale * super().forward(x.flatten(1).to(self.weight.dtype))


class Stateful(Odd):
    def get_extra_state(self) -> dict[str, int]:
        return {"k": 3}


@dataclass(frozen=True)
class MineOdd(Model):
    what: str = ""

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        return (Stateful if self.what == "state" else Odd)(self.what, classes)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("double", "has parameters of torch.float64: all of them must be torch.float32"),
        ("state", "keeps _extra_state, no parameter and no buffer"),
        ("trained", "changes the images that it is given"),
        ("tested", "changes the images that it is given"),
    ],
)
def test_a_network_that_no_engine_can_keep_or_test_is_refused(what, message):
    build_model(MineOdd(), (1, 2, 2), 3, 0)
    with pytest.raises(UserError, match=f"model=mine_odd-what{what} {message}"):
        build_model(MineOdd(what=what), (1, 2, 2), 3, 0)


class Averaging(nn.Linear):
    """A linear layer without bias that subtracts a number, in training a running mean of what it gives."""

    def __init__(self, classes: int, persistent: bool, moves: bool) -> None:
        super().__init__(4, classes, bias=False)
        self.moves = moves
        self.register_buffer("mean", torch.zeros(classes), persistent=persistent)

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x.flatten(1))
        if self.training and self.moves:
            self.mean = self.mean.lerp(x.detach().mean(0), 0.01)
        return x - self.mean


@dataclass(frozen=True)
class MineAveraging(Model):
    persistent: bool = False
    moves: bool = True

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        return Averaging(classes, self.persistent, self.moves)


def test_a_buffer_that_changes_must_be_kept():
    """It would begin a training as the one before left it."""
    with pytest.raises(UserError, match=r"model=mine_averaging changes mean, which its state dict leaves out: .*=True"):
        build_model(MineAveraging(), (1, 2, 2), 3, 0)
    for model in (MineAveraging(persistent=True), MineAveraging(moves=False)):
        assert not build_model(model, (1, 2, 2), 3, 0).get_buffer("mean").any()


def test_the_trial_leaves_the_network_as_it_was_and_in_training_mode():
    network = build_model(Mine(), (1, 2, 2), 3, 0)
    assert network.training
    assert network.state_dict()["norm.num_batches_tracked"] == 0
    assert torch.equal(network.state_dict()["norm.running_var"], torch.ones(4))


def test_a_network_needs_something_to_prune():
    with pytest.raises(UserError, match=r"model=unprunable has nothing to prune.*`weight`.*has 1.weight, 1.bias"):
        build_model(Unprunable(), (1, 1, 3), 3, 0)


@dataclass(frozen=True)
class Frozen(Model):
    """Nothing of it is trained."""

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(4, classes)).requires_grad_(False)


def test_a_network_needs_something_to_train():
    with pytest.raises(UserError, match=r"model=frozen has nothing to train.*requires_grad"):
        build_model(Frozen(), (1, 2, 2), 3, 0)


def test_errors_of_a_users_own_code_keep_their_traceback():
    with pytest.raises(NotImplementedError, match="Model does not say how it is built"):
        build_model(Model(), (1, 2, 2), 3, 0)


def test_excluded_patterns_match_names_of_parameters():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2), nn.Linear(2, 2))
    assert prunable_names(network) == ["0.weight", "3.weight", "4.weight"]
    assert prunable_names(network, ["0.*", "4.weight"]) == ["3.weight"]
    with pytest.raises(UserError, match=r"prune.exclude=1.\* matches nothing.*there are 0.weight, 3.weight, 4.weight"):
        prunable_names(network, ["0.*", "1.*"])
    with pytest.raises(UserError, match=r"prune.exclude=\[0\.\*,\[34\]\.\*\] leaves nothing to prune of 0.weight"):
        prunable_names(network, ["0.*", "[34].*"])


def test_torchvision_names():
    network = build_model(Torchvision(name="squeezenet1_1"), (3, 32, 32), 7, 0)
    assert prunable_names(network)[-1] == "classifier.1.weight"
    with pytest.raises(UserError, match=r"model.name=resnt18 is none of .* torchvision; did you mean resnet18"):
        build_model(Torchvision(name="resnt18"), (3, 32, 32), 7, 0)
    with pytest.raises(UserError, match=r"model=torchvision_alexnet cannot take images of 3x32x32.*too small"):
        build_model(Torchvision(name="alexnet"), (3, 32, 32), 7, 0)


def test_timm_names():
    pytest.importorskip("timm")
    assert len(prunable_names(build_model(Timm(), (1, 28, 28), 7, 0))) == 21
    with pytest.raises(UserError, match=r"model.name=rsnet18 is none of .* timm; did you mean resnet18"):
        build_model(Timm(name="rsnet18"), (1, 28, 28), 7, 0)


def test_settings_of_models_need_no_pytorch():
    code = "import sys, src.models.shipped; assert 'torch' not in sys.modules and 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=CONF.parents[1])
