"""The gradient of a single network of linear layers and ReLUs, written out."""

from collections.abc import Callable, Sequence
from itertools import product

import torch
from torch import Tensor, nn

from src.training.vectors import FlatParameters

SCALES = 1.0, 100.0
"""What the pixels of random images on trial are multiplied with: an activation that saturates shows."""


class Alone:
    """The gradient of one network on a CPU: autograd's own kernels without what it costs to record and replay them.

    `flat`: parameters and gradient of a model of linear layers and ReLUs.
    """

    def __init__(self, flat: FlatParameters) -> None:
        leaves, gradients = list(flat.unflatten(flat.vector).values()), flat.gradients
        self._forward = [(weight.T, bias) for weight, bias in zip(leaves[::2], leaves[1::2], strict=True)]
        self._backward = list(enumerate(zip(leaves[::2], gradients[::2], gradients[1::2], strict=True)))[::-1]
        self._one = flat.vector.new_ones(())

    @torch.no_grad()
    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Write the gradient of the mean cross-entropy of images [batch, ...] and labels [batch]; logits and loss."""
        aten, inputs = torch.ops.aten, [x.flatten(1)]
        for transposed, bias in self._forward[:-1]:
            inputs.append(torch.addmm(bias, inputs[-1], transposed).relu_())
        transposed, bias = self._forward[-1]
        logits = torch.addmm(bias, inputs[-1], transposed)
        log_probability = logits.log_softmax(1)
        loss, count = aten.nll_loss_forward.default(log_probability, y, None, 1, -100)
        delta = aten.nll_loss_backward.default(self._one, log_probability, y, None, 1, -100, count)
        delta = aten._log_softmax_backward_data.default(delta, log_probability, 1, delta.dtype)
        for layer, (weight, weight_gradient, bias_gradient) in self._backward:
            torch.mm(delta.T, inputs[layer], out=weight_gradient)
            torch.sum(delta, 0, out=bias_gradient)
            if layer:
                delta = aten.threshold_backward.default(delta.mm(weight), inputs[layer], 0)
        return logits, loss


Gradient = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Writes the gradient for a batch; its logits and loss."""


def same_bits(one: Gradient, other: Gradient, gradient: Tensor, shapes: Sequence[Sequence[int]]) -> bool:
    """Whether both give the same for random images of these shapes [batch, ...] and in `gradient`, and draw nothing."""
    generator, drawn = torch.Generator().manual_seed(0), torch.get_rng_state()
    for shape, scale in product(shapes, SCALES):
        x, results = scale * torch.randn(*shape, generator=generator), list[Tensor]()
        for way in (one, other):
            logits, loss = way(x, torch.arange(len(x)) % 2)
            results.append(torch.cat([logits.flatten(), loss[None], gradient]))
        if not torch.equal(*results):
            return False
    return torch.equal(torch.get_rng_state(), drawn)


def has_layers(model: nn.Module, inputs: int) -> bool:
    """Whether parameters are weight [outputs, inputs] and bias [outputs] of layer after layer; no buffers, no hooks."""
    shapes = [tuple(p.shape) for p in model.parameters() if p.requires_grad]
    layers = list(zip(shapes[::2], shapes[1::2], strict=False))
    for weight, bias in layers:
        if len(weight) != 2 or bias != weight[:1] or weight[1] != inputs:
            return False
        inputs = weight[0]
    whole = 2 * len(layers) == len(list(model.parameters())) > 0
    # a copy of the model has no hooks of its parameters
    hooked = any(p._backward_hooks or p._post_accumulate_grad_hooks for p in model.parameters())
    return whole and not hooked and not list(model.buffers())
