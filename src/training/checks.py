"""What cannot be trained, found before training: an optimizer that is not elementwise, a last batch of one image."""

import copy
import math
from contextlib import suppress

import torch
from torch import Tensor, nn

from src.config.part import shown
from src.errors import UserError
from src.training.optimizers import Optimizer, State
from src.training.spec import TrainingSpec

TRIAL_STEPS = 4
"""Steps after which optimizers that are not elementwise show it."""

PARTS = slice(None), slice(5), slice(5, None)
"""All of the numbers on trial, and two parts of them."""


def check_training(
    spec: TrainingSpec, model: nn.Module, image_shape: tuple[int, int, int], images: int, captured: bool
) -> None:
    """Raise UserError where the optimizer, the schedule, or the last batch of `images` images cannot be used."""
    check_optimizer(spec.optimizer, captured)
    check_schedule(spec)
    check_last_batch(model, image_shape, images, spec.batch_size)


def check_optimizer(optimizer: Optimizer, captured: bool = False) -> int:
    """Try an optimizer on a few numbers, at once and in two parts; how many vectors its state consists of.

    Raises:
        UserError: it does not treat every parameter alone, draws random numbers, moves zeros without gradient or
            nothing at all, cannot be used, or not in a step that is `captured`.
    """
    optimizer.check("trainer.optimizer")
    if captured and not optimizer.capturable:
        raise UserError(
            f"trainer.optimizer={optimizer.short} cannot be part of a CUDA graph: choose trainer.compile=none, or "
            "trainer/optimizer=sgd, adam or adamw"
        )
    generator = torch.Generator().manual_seed(0)
    start, gradients = (torch.randn(size, generator=generator) for size in ((8,), (TRIAL_STEPS, 8)))
    start[1] = gradients[:, 1] = 0
    drawn = torch.get_rng_state()
    try:
        whole, first, second = (_trial(optimizer, start[part], gradients[:, part]) for part in PARTS)
    except UserError:
        raise
    except Exception as error:  # whatever another's code raises
        raise _unusable(optimizer, f"it fails on a vector of parameters ({error})") from error
    if not torch.equal(torch.get_rng_state(), drawn):
        raise _unusable(optimizer, "it draws random numbers, which an optimizer cannot")
    if whole["parameters"][1] != 0:
        raise _unusable(optimizer, "it moves weights that are zero and have no gradient, as pruned ones")
    for name, value in whole.items():
        if not isinstance(value, Tensor) or value.shape not in ((), start.shape):
            raise _unusable(optimizer, f"its state {name} is neither a scalar tensor nor one value for each parameter")
        halves = first[name], second[name]
        joined = torch.cat(halves) if value.dim() else torch.stack(halves)
        if not torch.allclose(value.expand_as(joined), joined, rtol=1e-4, atol=1e-7):
            raise _unusable(optimizer, f"a parameter's {name} depends on the other parameters")
    if torch.equal(whole["parameters"], start):
        raise _unusable(optimizer, "it leaves the parameters as they are (change them in place)")
    return sum(value.shape == start.shape for value in whole.values()) - 1


def _trial(optimizer: Optimizer, start: Tensor, gradients: Tensor) -> State:
    """Parameters and state after a step for each of the gradients [steps, n]."""
    parameters = start.clone()
    state = optimizer.state(parameters)
    for gradient in gradients:
        optimizer.step(parameters, gradient.clone(), state, 0.01)
    return {"parameters": parameters, **state}


def _unusable(optimizer: Optimizer, reason: str) -> UserError:
    return UserError(
        f"trainer.optimizer={optimizer.short} cannot be used: {reason}; choose one that treats every parameter alone, "
        "such as trainer/optimizer=sgd, adam or adamw"
    )


def check_schedule(spec: TrainingSpec) -> None:
    """Raise UserError unless the schedule gives a finite number, 0 or more, in every epoch."""
    for epoch in range(spec.epochs):
        factor = spec.schedule.factor(epoch, spec.epochs)
        with suppress(TypeError, ValueError, RuntimeError, OverflowError):
            if 0 <= float(spec.lr * factor) < math.inf:
                continue
        raise UserError(
            f"trainer.schedule={spec.schedule.short} gave {shown(repr(factor))} in epoch {epoch}: it must be a finite "
            "number, 0 or more"
        )


def check_last_batch(model: nn.Module, image_shape: tuple[int, int, int], images: int, batch_size: int) -> None:
    """See to it that the last batch of an epoch of `images` training images can be normalised; `model` stays as it is.

    BatchNorm has no variance to divide by where a batch holds one value per channel: one image, at a depth where it
    has shrunk to one pixel. PyTorch refuses it in the middle of the epoch, in the authors' code too.

    Raises:
        UserError: the last batch is one image, and `model` (for `image_shape`) normalises single values.
    """
    if (images % batch_size or batch_size) > 1:
        return
    try:  # shapes only, nothing is computed
        copy.deepcopy(model).to("meta").train()(torch.empty(1, *image_shape, device="meta"))
    except Exception as error:
        if "more than 1 value per channel" not in str(error):
            return  # another's model may need numbers
        raise UserError(
            f"trainer.batch_size={batch_size} leaves one image for the last batch of {images} training images, too few "
            f"for this model's BatchNorm ({error}): choose another trainer.batch_size or dataset.train_size, "
            "so that the last batch has two images or more"
        ) from error
