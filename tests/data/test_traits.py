"""Normalisation and augmentation of each data set, as in PROTOCOL 3.2."""

import pytest

from src.data import DATASETS, load_dataset
from src.data.traits import TRAITS

PROTOCOL = {
    "fashion_mnist": ((0.2860,), (0.3530,), False, False),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010), True, True),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762), True, True),
    "tiny_imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), True, True),
    "mnist": ((0.1307,), (0.3081,), False, False),
    "svhn": ((0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970), False, True),
}


@pytest.mark.parametrize("name", PROTOCOL)
def test_protocol(name):
    traits = TRAITS[name]
    assert (*traits.statistics("reference"), traits.flip, traits.crop) == PROTOCOL[name]


def test_every_data_set_has_traits():
    assert set(TRAITS) == set(DATASETS)


def test_true_statistics_differ_only_where_the_reference_is_off():
    differing = {name for name, traits in TRAITS.items() if traits.statistics("true") != traits.statistics("reference")}
    assert differing == {"cifar10", "tiny_imagenet"}
    assert TRAITS["cifar10"].statistics("true")[0] == TRAITS["cifar10"].mean


def test_statistics_of_the_digits(tmp_path):
    data = load_dataset("digits", tmp_path)
    pixels = data.train_images.double() / 255
    assert pixels.mean().item() == pytest.approx(data.mean[0], abs=5e-5)
    assert pixels.std(correction=0).item() == pytest.approx(data.std[0], abs=5e-5)
