"""What a model is, how it is built, and which of its parameters are pruned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

from src.config.part import Part, setting
from src.errors import UserError

if TYPE_CHECKING:
    from torch import nn

ImageShape = tuple[int, int, int]
"""(channels, height, width)"""


@dataclass(frozen=True)
class Model(Part):
    """A network for images.

    prune_iterations: the paper's T for it, where a run does not say otherwise.
    """

    prune_iterations: int = setting(30, at_least=0, identity=False)

    largest: ClassVar[int] = 2**16

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        """The network, its weights drawn from PyTorch's generator; it gives logits [batch, classes]."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is built: give it a method `build`")


def build_model(model: Model, image_shape: ImageShape, classes: int, seed: int) -> nn.Module:
    """The network on the CPU, for training; its initial state depends on the arguments only, not on the generator.

    Raises:
        UserError: images that the model cannot take or changes, output of another shape than [batch, classes], nothing
            to prune or to train, parameters that are not float32, a state of more than parameters and buffers,
            buffers that change and are not in it.
    """
    import torch

    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        network = model.build(image_shape, classes)
        _check_output(model.short, network, image_shape, classes)
    if not prunable_names(network):
        raise UserError(
            f"model={model.short} has nothing to prune: it needs a parameter called `weight` of two dimensions or "
            f"more, as of a linear layer or a convolution; it has {_listed([n for n, _ in network.named_parameters()])}"
        )
    if not any(p.requires_grad for p in network.parameters()):
        raise UserError(f"model={model.short} has nothing to train: all of its parameters have requires_grad=False")
    if others := sorted({str(p.dtype) for p in network.parameters()} - {"torch.float32"}):
        raise UserError(f"model={model.short} has parameters of {', '.join(others)}: all of them must be torch.float32")
    named = *network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False)
    if unknown := sorted(set(network.state_dict()) - {name for name, _ in named}):
        raise UserError(f"model={model.short} keeps {unknown[0]}, no parameter and no buffer: register a buffer")
    return network


def _check_output(name: str, network: nn.Module, image_shape: ImageShape, classes: int) -> None:
    """Raise UserError unless two images give logits, evaluated and trained, and change no buffer that is not kept.

    The network's state stays as it is.
    """
    import torch
    from torch.func import functional_call

    for mode, training in (("evaluation", False), ("training", True)):
        images = torch.linspace(0, 1, 2 * math.prod(image_shape)).reshape(2, *image_shape)
        buffers = {key: buffer.clone() for key, buffer in network.named_buffers()}
        try:
            with torch.no_grad():
                output = functional_call(network.train(training), buffers, (images,))
        except (RuntimeError, ValueError, AssertionError) as error:
            size = "x".join(map(str, image_shape))
            message = f"model={name} cannot take images of {size}, use another model or data set: {error}"
            raise UserError(message) from error
        if images._version:
            raise UserError(f"model={name} changes the images that it is given: let it work on a copy, or not in place")
        given = list(output.shape) if isinstance(output, torch.Tensor) else f"a {type(output).__name__}"
        if given != [2, classes]:
            raise UserError(
                f"model={name} gives {given} for two images in {mode} mode: it must give one tensor of logits, "
                f"[2, {classes}]; its `build` is told the number of classes"
            )
        for key in sorted(buffers.keys() - network.state_dict()):
            if not torch.equal(buffers[key], network.get_buffer(key)):
                raise UserError(
                    f"model={name} changes {key}, which its state dict leaves out: register it with persistent=True"
                )


def prunable_names(network: nn.Module, exclude: Sequence[str] = ()) -> list[str]:
    """State-dict names of the weights of convolutions and linear layers, in registration order (PROTOCOL 1.1).

    `exclude` leaves out what its patterns match, as `stem.*` (PROTOCOL A14).

    Raises:
        UserError: a pattern that matches nothing, or nothing left.

    >>> from torch import nn
    >>> network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))
    >>> prunable_names(network), prunable_names(network, ["3.*"])
    (['0.weight', '3.weight'], ['0.weight'])
    """
    names = [name for name, p in network.named_parameters() if name.split(".")[-1] == "weight" and p.ndim > 1]
    for pattern in exclude:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UserError(f"prune.exclude={pattern} matches nothing that is pruned; there are {_listed(names)}")
    kept = [name for name in names if not any(fnmatchcase(name, pattern) for pattern in exclude)]
    if exclude and not kept:
        raise UserError(f"prune.exclude=[{','.join(exclude)}] leaves nothing to prune of {_listed(names)}")
    return kept


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "no parameters"
