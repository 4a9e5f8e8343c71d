"""Scaling and normalising, bitwise as torchvision does it."""

import pytest
import torch

from src.data.batches import normalise

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


def every_value():
    """[1, 3, 16, 16]: all 256 values in each channel."""
    return torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(1, 3, 1, 1)


def test_every_value_is_as_in_torchvision():
    from torchvision.transforms import Normalize, ToTensor

    image = every_value()[0]
    expected = Normalize(MEAN, STD)(ToTensor()(image.permute(1, 2, 0).numpy()))
    assert torch.equal(normalise(image, MEAN, STD), expected)


def test_values_by_hand():
    result = normalise(torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3), (0.2,), (0.5,))
    assert result.dtype == torch.float32
    assert result.flatten().tolist() == pytest.approx([-0.4, 0.0, 1.6], abs=1e-7)


def test_the_images_are_not_written_to():
    images = every_value()
    normalise(images, MEAN, STD)
    assert torch.equal(images, every_value())


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_device_changes_nothing():
    assert torch.equal(normalise(every_value().cuda(), MEAN, STD).cpu(), normalise(every_value(), MEAN, STD))
