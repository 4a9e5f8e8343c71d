"""Initial values against PROTOCOL 3.3."""

import math

import pytest
import torch
from torch import nn

from src.models.model import build_model
from src.models.shipped import MODELS


def built(name: str, seed: int = 0) -> nn.Module:
    return build_model(MODELS[name], (3, 32, 32), 10, seed)


@pytest.mark.parametrize("name", ["cnn", "resnet9", "wresnet28x2", "resnet50"])
def test_convolutions_are_kaiming_normal_over_fan_out(name):
    for module in built(name).modules():
        if isinstance(module, nn.Conv2d):
            weight = module.weight.detach()
            standardised = weight * math.sqrt(module.out_channels * math.prod(module.kernel_size) / 2)
            tolerance = 5 / math.sqrt(weight.numel())
            assert standardised.std() == pytest.approx(1, abs=tolerance)
            assert standardised.mean() == pytest.approx(0, abs=tolerance)
            # beyond the sqrt(3) that a uniform distribution of this variance ends at
            assert standardised.abs().max() > 2


@pytest.mark.parametrize("name", ["linear", "mlp", "cnn", "resnet50"])
def test_linear_weights_are_uniform_within_one_over_root_fan_in(name):
    for module in built(name).modules():
        if isinstance(module, nn.Linear):
            scaled = module.weight.detach() * math.sqrt(module.in_features)
            assert scaled.abs().max() <= 1 + 1e-6
            assert scaled.std() == pytest.approx(1 / math.sqrt(3), abs=0.02)


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"resnet50", "wresnet28x8", "resnet18"}))
def test_biases_are_zero_and_norms_neutral(name):
    for module in built(name).modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d) and module.bias is not None:
            assert not module.bias.any()
        if isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all()
            assert (module.eps, module.momentum) == (1e-5, 0.1)


def test_only_resnet50_keeps_its_classifier_bias():
    bias = built("resnet50").get_parameter("fc.bias")
    assert 0 < bias.abs().max() <= 1 / math.sqrt(2048)


def test_the_seed_alone_decides():
    torch.manual_seed(1)
    first = built("cnn").state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = built("cnn").state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["linear.weight"], built("cnn", seed=1).state_dict()["linear.weight"])


@pytest.mark.parametrize(
    ("name", "last", "value"),
    [
        ("linear", "linear.weight", 0.0146339),
        ("mlp", "linear.weight", -0.0027419),
        ("cnn", "linear.weight", -0.0121383),
        ("resnet9", "linear.weight", 0.0033256),
        ("resnet50", "fc.weight", 0.0099933),
        ("wresnet28x2", "linear.weight", -0.0340850),
    ],
)
def test_initial_values_of_a_seed_never_change(name, last, value):
    """The last weight drawn: it depends on all that were drawn before it."""
    assert built(name, seed=3).get_parameter(last).flatten()[-1].item() == pytest.approx(value, abs=1e-6)


def test_models_are_built_on_the_cpu_whatever_the_default_device():
    with torch.device("meta"):
        assert built("mlp").get_parameter("linear.weight").device.type == "cpu"
