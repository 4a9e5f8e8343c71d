"""The real Fashion-MNIST, where it can be had without a network."""

import pytest
import torch

from tests.data.synthetic import load_dataset
from tests.support import fashion_mnist_root


@pytest.fixture
def fashion_mnist():
    return load_dataset("fashion_mnist", fashion_mnist_root())


def test_images_and_labels(fashion_mnist):
    data = fashion_mnist
    assert data.train_images.shape == (60_000, 1, 28, 28)
    assert data.test_images.shape == (10_000, 1, 28, 28)
    assert torch.bincount(data.train_labels).tolist() == [6_000] * 10
    assert torch.bincount(data.test_labels).tolist() == [1_000] * 10
    assert data.train_labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]


def test_mean_and_standard_deviation(fashion_mnist):
    pixels = fashion_mnist.train_images.double() / 255
    assert pixels.mean().item() == pytest.approx(fashion_mnist.mean[0], abs=5e-5)
    assert pixels.std(correction=0).item() == pytest.approx(fashion_mnist.std[0], abs=5e-5)
