"""The one batch that cannot be trained on: a single image whose channels are down to one value each."""

import copy

import torch
from torch import nn

from src.errors import UserError
from src.models.shape import ImageShape


def check_last_batch(model: nn.Module, image_shape: ImageShape, images: int, batch_size: int) -> None:
    """See to it that the last batch of an epoch of `images` training images can be normalised; `model` stays as it is.

    BatchNorm has no variance to divide by where a batch holds one value per channel: one image, at a depth where it
    has shrunk to one pixel. PyTorch refuses it in the middle of the epoch, in the authors' code too.

    Raises:
        UserError: the last batch is one image, and `model` (for `image_shape`) normalises single values.
    """
    if (images % batch_size or batch_size) > 1:
        return
    trial = copy.deepcopy(model).to("meta").train()  # shapes only, nothing is computed
    try:
        trial(torch.empty(1, *image_shape, device="meta"))
    except ValueError as error:
        raise UserError(
            f"trainer.batch_size={batch_size} leaves one image for the last batch of {images} training images, too few "
            f"for this model's BatchNorm ({error}): choose another trainer.batch_size or dataset.train_size, "
            "so that the last batch has two images or more"
        ) from error
