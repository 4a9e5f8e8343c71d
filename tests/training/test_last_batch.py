"""A last batch of one image is refused before training, exactly where training on it would fail."""

import pytest
import torch

from src.errors import UserError
from src.models import build_model
from src.training.last_batch import check_last_batch

DIGITS, CIFAR = (1, 8, 8), (3, 32, 32)


@pytest.mark.parametrize(("images", "batch_size"), [(251, 250), (501, 250), (10, 1), (1, 250)])
def test_one_image_that_shrinks_to_one_pixel(images, batch_size):
    words = rf"batch_size={batch_size} .*one image.* {images} training .*trainer\.batch_size or dataset\.train_size"
    with pytest.raises(UserError, match=words):
        check_last_batch(build_model("cnn", DIGITS, 10, 0), DIGITS, images, batch_size)


@pytest.mark.parametrize(("images", "batch_size"), [(252, 250), (250, 250), (500, 250), (2, 250), (10, 2)])
def test_two_images_are_enough(images, batch_size):
    check_last_batch(build_model("cnn", DIGITS, 10, 0), DIGITS, images, batch_size)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        ("linear", DIGITS),
        ("mlp", DIGITS),
        ("cnn", DIGITS),
        ("resnet9", DIGITS),
        ("wresnet28x2", DIGITS),
        ("cnn", CIFAR),
        ("resnet9", CIFAR),
        ("resnet50", CIFAR),
    ],
)
def test_it_refuses_what_pytorch_refuses(model, shape):
    network = build_model(model, shape, 10, 0)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    refused = fails(lambda: check_last_batch(network, shape, 251, 250))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert refused == fails(lambda: network.train()(torch.zeros(1, *shape)))


def fails(call):
    """Whether BatchNorm refuses."""
    try:
        call()
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        return True
    return False
