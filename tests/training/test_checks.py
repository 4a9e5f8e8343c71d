"""A last batch of one image is refused before training, exactly where training on it would fail."""

import pytest
import torch
from torch import nn

from src.errors import UserError
from src.training.checks import check_last_batch
from tests.training.examples import Cnn, Perceptron

DIGITS, CIFAR = (1, 8, 8), (3, 32, 32)


@pytest.mark.parametrize(("images", "batch_size"), [(251, 250), (501, 250), (10, 1), (1, 250)])
def test_one_image_that_shrinks_to_one_pixel(images, batch_size):
    words = rf"batch_size={batch_size} .*one image.* {images} training .*trainer\.batch_size or dataset\.train_size"
    with pytest.raises(UserError, match=words):
        check_last_batch(Cnn(), DIGITS, images, batch_size)


@pytest.mark.parametrize(("images", "batch_size"), [(252, 250), (250, 250), (500, 250), (2, 250), (10, 2)])
def test_two_images_are_enough(images, batch_size):
    check_last_batch(Cnn(), DIGITS, images, batch_size)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (Perceptron(), DIGITS),
        (Cnn(), DIGITS),
        (Cnn(side=4), DIGITS),
        (Cnn(channels=3), CIFAR),
        (nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64)), DIGITS),
    ],
)
def test_it_refuses_what_pytorch_refuses(model, shape):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    refused = fails(lambda: check_last_batch(model, shape, 251, 250))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert refused == fails(lambda: model.train()(torch.zeros(1, *shape)))
    assert refused == (not isinstance(model, Perceptron) and getattr(model, "side", 1) == 1)


class Reading(nn.Module):
    """Looks at the values of its images, which shapes alone do not have."""

    def forward(self, x):
        return x.flatten(1) / float(x.abs().max() + 1)


def test_what_a_model_cannot_do_without_numbers_is_no_reason_to_refuse_it():
    check_last_batch(nn.Sequential(Reading(), nn.Linear(64, 10)), DIGITS, 251, 250)


def fails(call):
    """Whether BatchNorm refuses."""
    try:
        call()
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        return True
    return False
