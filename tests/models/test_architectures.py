"""Sizes, layer order and shapes of the models against PROTOCOL 3.4."""

import dataclasses

import pytest
import torch
from torch import nn

from src.errors import UserError
from src.models.model import build_model, prunable_names
from src.models.plain import Cnn
from src.models.preactivation import Block
from src.models.residual import WideResnet
from src.models.shipped import MODELS

FASHION, CIFAR, TINY, DIGITS = (1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 8, 8)


def on_meta(name: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    with torch.device("meta"):
        return MODELS[name].build(shape, classes)


@pytest.mark.parametrize(
    ("name", "shape", "classes", "parameters", "prunable", "shown"),
    [
        ("linear", FASHION, 10, 7_850, 7_840, [7_840]),
        ("linear", CIFAR, 10, 30_730, 30_720, [30_720]),
        ("linear", CIFAR, 100, 307_300, 307_200, [307_200]),
        ("linear", TINY, 200, 2_457_800, 2_457_600, [2_457_600]),
        ("mlp", FASHION, 10, 136_074, 135_680, [100_352, 32_768, 2_560]),
        ("mlp", CIFAR, 10, 428_938, 428_544, [393_216, 32_768, 2_560]),
        ("mlp", CIFAR, 100, 452_068, 451_584, [393_216, 32_768, 25_600]),
        ("mlp", TINY, 200, 1_657_416, 1_656_832, [1_572_864, 32_768, 51_200]),
        ("cnn", FASHION, 10, 1_556_874, 1_553_984, [576, 294_912, 5_120]),
        ("cnn", CIFAR, 10, 1_558_026, 1_555_136, [1_728, 294_912, 5_120]),
        ("cnn", CIFAR, 100, 1_604_196, 1_601_216, [1_728, 294_912, 51_200]),
        ("cnn", TINY, 200, 1_655_496, 1_652_416, [1_728, 294_912, 102_400]),
        ("resnet18", FASHION, 10, 11_171_018, 11_163_200, [576, 294_912, 5_120]),
        ("resnet18", CIFAR, 10, 11_172_170, 11_164_352, [1_728, 294_912, 5_120]),
        ("resnet18", CIFAR, 100, 11_218_340, 11_210_432, [1_728, 294_912, 51_200]),
        ("resnet18", TINY, 200, 11_269_640, 11_261_632, [1_728, 294_912, 102_400]),
        ("resnet50", CIFAR, 10, 23_528_522, 23_475_392, [9_408, 262_144, 20_480]),
        ("resnet50", CIFAR, 100, 23_712_932, 23_659_712, [9_408, 262_144, 204_800]),
        ("resnet50", TINY, 200, 23_917_832, 23_864_512, [9_408, 262_144, 409_600]),
        ("wresnet28x8", FASHION, 10, 23_354_554, 23_340_176, [144, 589_824, 5_120]),
        ("wresnet28x8", CIFAR, 10, 23_354_842, 23_340_464, [432, 589_824, 5_120]),
        ("wresnet28x8", CIFAR, 100, 23_401_012, 23_386_544, [432, 589_824, 51_200]),
        ("wresnet28x8", TINY, 200, 44_723_864, 44_708_272, [432, 589_824, 204_800]),
        ("wresnet28x2", CIFAR, 10, 1_467_610, 1_463_984, [432, 36_864, 1_280]),
        ("resnet9", CIFAR, 10, 4_901_450, 4_897_472, [1_728, 294_912, 5_120]),
    ],
)
def test_sizes_of_the_protocol(name, shape, classes, parameters, prunable, shown):
    model = on_meta(name, shape, classes)
    sizes = [model.get_parameter(weight).numel() for weight in prunable_names(model)]
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert sum(sizes) == prunable
    middle = round((len(sizes) - 1) / 2)  # Python rounds half to even, as the figures do
    assert (sizes if len(sizes) == 1 else [sizes[0], sizes[middle], sizes[-1]]) == shown


@pytest.mark.parametrize(
    ("name", "shape", "count"),
    [
        ("linear", CIFAR, 1),
        ("mlp", CIFAR, 3),
        ("cnn", CIFAR, 5),
        ("resnet9", CIFAR, 13),
        ("resnet18", CIFAR, 21),
        ("resnet50", CIFAR, 54),
        ("wresnet28x2", CIFAR, 29),
        ("wresnet28x8", FASHION, 29),
        ("wresnet28x8", TINY, 22),
    ],
)
def test_number_of_prunable_tensors(name, shape, count):
    assert len(prunable_names(on_meta(name, shape, 10))) == count


@pytest.mark.parametrize(
    ("name", "shape", "neurons"), [("cnn", CIFAR, 970), ("resnet18", CIFAR, 4_810), ("resnet50", TINY, 26_760)]
)
def test_number_of_neurons(name, shape, neurons):
    model = on_meta(name, shape, 200 if shape == TINY else 10)
    assert sum(model.get_parameter(weight).shape[0] for weight in prunable_names(model)) == neurons


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [DIGITS, FASHION, CIFAR, TINY])
def test_logits_of_every_image_size(name, shape):
    if name == "resnet50" and shape[0] == 1:
        pytest.skip("three channels only")
    model = on_meta(name, shape, 7)
    assert model(torch.empty(2, *shape, device="meta")).shape == (2, 7)


def test_state_of_cnn_and_mlp_is_named_layer_by_layer():
    assert list(on_meta("mlp", FASHION, 10).state_dict()) == [
        f"{layer}.{part}" for layer in ("blocks.0", "blocks.2", "linear") for part in ("weight", "bias")
    ]
    norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    expected = []
    for block in (0, 4, 8, 12):
        expected += [f"blocks.{block}.weight", f"blocks.{block}.bias", *(f"blocks.{block + 1}.{part}" for part in norm)]
    assert list(on_meta("cnn", CIFAR, 10).state_dict()) == [*expected, "linear.weight", "linear.bias"]


def test_blocks_register_convolutions_before_their_shortcut():
    assert prunable_names(on_meta("resnet18", CIFAR, 10))[:9] == [
        "stem.weight",
        "blocks.0.conv1.weight",
        "blocks.0.conv2.weight",
        "blocks.1.conv1.weight",
        "blocks.1.conv2.weight",
        "blocks.2.conv1.weight",
        "blocks.2.conv2.weight",
        "blocks.2.shortcut.weight",
        "blocks.3.conv1.weight",
    ]
    assert prunable_names(on_meta("wresnet28x8", CIFAR, 10))[:5] == [
        "stem.weight",
        "blocks.0.conv1.weight",
        "blocks.0.conv2.weight",
        "blocks.0.shortcut.weight",
        "blocks.1.conv1.weight",
    ]


def test_stages_halve_the_image_except_the_first():
    def strides(name: str, shape: tuple[int, int, int]) -> list[int]:
        return [m.conv1.stride[0] for m in on_meta(name, shape, 10).modules() if isinstance(m, Block)]

    assert strides("resnet18", CIFAR) == [1, 1, 2, 1, 2, 1, 2, 1]
    assert strides("wresnet28x8", FASHION) == [1, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1]
    assert strides("wresnet28x8", TINY) == [1, 1, 2, 1, 2, 1, 2, 1]
    assert strides("wresnet28x8", DIGITS) == [1] * 13


def test_resnet50_strides_on_the_3x3_convolution():
    first = on_meta("resnet50", CIFAR, 10).get_submodule("layer2.0")
    assert first.conv1.stride == (1, 1)
    assert first.conv2.stride == (2, 2)


def test_identity_block_adds_the_raw_input_and_a_changing_one_the_preactivation():
    x = torch.tensor([-1.0, 2.0, -3.0]).view(3, 1, 1, 1)
    kept = Block(1, 1, 1).eval()
    nn.init.zeros_(kept.conv2.weight)
    torch.testing.assert_close(kept(x), x)
    changed = Block(1, 2, 1).eval()
    nn.init.zeros_(changed.conv2.weight)
    nn.init.ones_(changed.shortcut.weight)
    torch.testing.assert_close(changed(x)[:, 0, 0, 0], torch.tensor([0.0, 2.0, 0.0]), atol=1e-4, rtol=0)


def test_widths_and_depths_are_settings():
    def sizes(name: str, **settings: object) -> list[int]:
        with torch.device("meta"):
            model = dataclasses.replace(MODELS[name], **settings).build(CIFAR, 10)
        return [model.get_parameter(weight).numel() for weight in prunable_names(model)]

    assert sizes("mlp", hidden=[5]) == [3 * 32 * 32 * 5, 5 * 10]
    assert sizes("cnn", widths=[2, 4]) == [3 * 2 * 9, 2 * 4 * 9, 4 * 10]
    assert sizes("resnet9", width=2) == [54, 36, 36, 72, 144, 8, 288, 576, 32, 1152, 2304, 128, 160]
    assert len(sizes("resnet9", depth=3)) == 1 + 4 * 3 * 2 + 3 + 1
    assert len(sizes("wresnet28x2", depth=10)) == 1 + 3 * 2 + 3 + 1


def test_resnet50_refuses_one_channel():
    with pytest.raises(UserError, match=r"model=resnet50.*3 channels.*have 1.*resnet18"):
        build_model(MODELS["resnet50"], FASHION, 10, 0)


def test_cnn_refuses_images_that_it_would_pool_away():
    with pytest.raises(UserError, match=r"halves the image 3 times.*8x8 pixels.*4x4"):
        build_model(MODELS["cnn"], (1, 4, 4), 10, 0)
    assert build_model(Cnn(widths=[4, 8]), (1, 4, 4), 10, 0)


def test_wresnet_refuses_a_depth_without_blocks():
    with pytest.raises(UserError, match=r"model.depth=12 leaves no block.*64x64.*4 stages.*model.depth=13"):
        build_model(WideResnet(depth=12, factor=1), TINY, 10, 0)
    assert build_model(WideResnet(depth=13, factor=1), TINY, 10, 0)
