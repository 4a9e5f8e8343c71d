"""Operations and bytes of networks small enough to count by hand, and PROTOCOL 3.4's counts."""

import numpy as np
import pytest

from src.analysis.tables.cost import IMAGES, Network, _counted, _measured, network
from src.models.shipped import MODELS

PRUNABLE = {
    ("fashion_mnist", "linear"): (7840,),
    ("fashion_mnist", "mlp"): (100352, 32768, 2560),
    ("cifar10", "cnn"): (1728, 73728, 294912, 1179648, 5120),
    ("fashion_mnist", "cnn"): (576, 73728, 294912, 1179648, 5120),
}


@pytest.mark.parametrize(("dataset", "model"), PRUNABLE)
def test_sizes_and_uses(dataset, model):
    sizes = PRUNABLE[dataset, model]
    found = network(dataset, model, sizes)
    assert found is not None
    side = 28 if dataset == "fashion_mnist" else 32
    uses = [1] * len(sizes) if model != "cnn" else [(side // 2**i) ** 2 for i in range(4)] + [1]
    assert found.uses.tolist() == uses


@pytest.mark.parametrize("model", ["linear", "mlp"])
@pytest.mark.parametrize("dataset", ["digits", "cifar100"])
def test_what_is_counted_is_what_is_measured(dataset, model):
    counted, measured = (way(MODELS[model], *IMAGES[dataset]) for way in (_counted, _measured))
    for name in ("sizes", "uses", "others"):
        assert np.array_equal(getattr(counted, name), getattr(measured, name))


def test_the_cnn_has_as_many_other_values_as_the_protocol_says():
    """1,558,026 parameters, 1,555,136 of them prunable; running mean and variance of 960 channels besides."""
    found = network("cifar10", "cnn", PRUNABLE["cifar10", "cnn"])
    assert found is not None
    assert found.others == 1558026 - 1555136 + 2 * 960


def test_resnet18_counts_the_known_operations():
    """0.56 G multiplications for a 32x32 image, as is reported for this network."""
    widths = [1728, *[36864] * 4, 73728, 147456, 8192, *[147456] * 2, 294912, 589824, 32768, *[589824] * 2, 1179648,
              2359296, 131072, *[2359296] * 2, 5120]  # fmt: skip
    found = network("cifar10", "resnet18", tuple(widths))
    assert found is not None
    assert found.flops(found.sizes) / 2 == pytest.approx(555.4e6, rel=1e-3)


def test_another_network_than_recorded_has_no_cost():
    assert network("fashion_mnist", "mlp", (1, 2)) is None
    assert network("my_data", "mlp", PRUNABLE["fashion_mnist", "mlp"]) is None
    assert network("fashion_mnist", "my_model", (7840,)) is None


def test_operations_and_bytes_by_hand():
    net = Network(np.array([16.0, 100.0]), np.array([9.0, 1.0]), others=3)
    assert net.flops(np.array([2.0, 10.0])) == 2 * (2 * 9 + 10)
    assert net.size_bytes(net.sizes) == 4 * (16 + 100 + 3)
    # 2 of 16: values and a bitmap 8 + 2, values and places 16; 1 of 100: 4 + 13 against 8
    assert net.size_bytes(np.array([2.0, 1.0])) == 10 + 8 + 12
