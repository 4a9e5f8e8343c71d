"""Stacked networks of linear layers and ReLUs, by explicit batched matrix products.

Activations are feature-major, [K, features, batch], so that the first layer of all members that share a batch is one
matrix product: their weights [members x outputs, inputs] by the batch [inputs, batch]. The backward pass is written
out: it writes gradients where they belong, which measures faster than autograd's accumulation.
"""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from src.training.stacked.networks import hits
from src.training.vectors import FlatParameters, StackedVector

TRIAL_IMAGES, TRIAL_SCALES = 16, (1.0, 100.0)
"""Random images on which a model is compared with `Dense`, and what their pixels are multiplied with."""


class Dense:
    """Weight and bias of layer after layer, ReLU in between; for a model of which `is_dense` holds."""

    def __init__(self, parameters: StackedVector, gradient: StackedVector, groups: Sequence[range]) -> None:
        self._weights, self._biases = parameters.leaves[::2], parameters.leaves[1::2]
        self._weight_gradients, self._bias_gradients = gradient.leaves[::2], gradient.leaves[1::2]
        self._groups = groups
        self._members = len(self._biases[0])

    @torch.no_grad()
    def backward(self, xs: Sequence[Tensor], labels: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the mean cross-entropy; summed losses and hits, [K] each."""
        blocks = self._blocks([x.flatten(1) for x in xs])
        logits, hidden = self._forward(blocks)
        log_probability = logits.log_softmax(1)
        losses = -log_probability.gather(1, labels).sum((1, 2))
        correct = hits(logits, labels)

        batch = logits.shape[2]
        delta = log_probability.exp_().div_(batch)
        delta.scatter_add_(1, labels, delta.new_full((1, 1, 1), -1 / batch).expand(self._members, 1, batch))
        for layer in range(len(hidden), 0, -1):
            below = hidden[layer - 1]
            torch.bmm(delta, below.mT, out=self._weight_gradients[layer])
            torch.sum(delta, 2, out=self._bias_gradients[layer])
            delta = torch.bmm(self._weights[layer].mT, delta)
            torch.ops.aten.threshold_backward.grad_input(delta, below, 0, grad_input=delta)
        torch.sum(delta, 2, out=self._bias_gradients[0])
        for members, x in blocks:
            gradient = self._weight_gradients[0][members].view(len(x), -1, x.shape[2])
            torch.bmm(delta[members].reshape(len(x), -1, batch), x, out=gradient)
        return losses, correct

    @torch.no_grad()
    def logits(self, x: Tensor) -> Tensor:
        """Logits [K, classes, batch] of the same images for all members."""
        return self._forward([(slice(None), x.flatten(1)[None])])[0]

    def _forward(self, blocks: "list[Block]") -> tuple[Tensor, list[Tensor]]:
        """Logits [K, classes, batch] and the hidden layers' activations [K, features, batch]."""
        hidden: list[Tensor] = []
        parts = [self._first(members, x) for members, x in blocks]
        activation = parts[0] if len(parts) == 1 else torch.cat(parts)
        for weight, bias in zip(self._weights[1:], self._biases[1:], strict=True):
            hidden.append(activation.relu_())
            activation = torch.bmm(weight, hidden[-1]).add_(bias.unsqueeze(2))
        return activation, hidden

    def _first(self, members: slice, x: Tensor) -> Tensor:
        """First layer [members, features, batch] of a block with batches `x` [groups, batch, inputs]."""
        groups, batch, inputs = x.shape
        weight, bias = self._weights[0][members], self._biases[0][members]
        product = torch.bmm(weight.view(groups, -1, inputs), x.mT)
        return product.view(len(bias), -1, batch).add_(bias.unsqueeze(2))

    def _blocks(self, xs: list[Tensor]) -> "list[Block]":
        """Groups of one size as one block, else one block each."""
        if len({len(group) for group in self._groups}) == 1:
            return [(slice(None), torch.stack(xs) if len(xs) > 1 else xs[0][None])]
        return [(slice(g.start, g.stop), x[None]) for g, x in zip(self._groups, xs, strict=True)]


Block = tuple[slice, Tensor]
"""Members of groups of one size, and these groups' batches [groups, batch, inputs]."""


def is_dense(model: nn.Module, image_shape: tuple[int, int, int]) -> bool:
    """Whether a model computes what `Dense` does: by its parameters' shapes, and on random parameters and images.

    Logits in evaluation mode and gradients in training mode are compared in float64; `model` stays as it is. Another
    activation, order or dropout shows there, whatever the class is called.
    """
    if not _has_layers(model, math.prod(image_shape)):
        return False
    trial = copy.deepcopy(model).to("cpu", torch.float64)
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for p in trial.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) / math.sqrt(p.shape[-1]))
    images = torch.randn(TRIAL_IMAGES, *image_shape, generator=generator, dtype=torch.float64)
    try:
        with torch.random.fork_rng(devices=[]):
            return all(_agrees(trial, scale * images) for scale in TRIAL_SCALES)
    except (RuntimeError, ValueError, TypeError):  # it does not take such images
        return False


def _has_layers(model: nn.Module, inputs: int) -> bool:
    """Whether the parameters are weight [outputs, inputs] and bias [outputs] of layer after layer, without buffers."""
    shapes = [tuple(p.shape) for p in model.parameters() if p.requires_grad]
    layers = list(zip(shapes[::2], shapes[1::2], strict=False))
    for weight, bias in layers:
        if len(weight) != 2 or bias != weight[:1] or weight[1] != inputs:
            return False
        inputs = weight[0]
    whole = 2 * len(layers) == len(list(model.parameters())) > 0
    return whole and not list(model.buffers())


def _agrees(model: nn.Module, images: Tensor) -> bool:
    flat = FlatParameters(model)
    parameters, gradient = (StackedVector(flat.shapes, 1, v) for v in (flat.vector, torch.zeros_like(flat.vector)))
    dense = Dense(parameters, gradient, [range(1)])
    with torch.no_grad():
        logits = model.eval()(images)
    if logits.shape != dense.logits(images)[0].T.shape or not torch.allclose(logits, dense.logits(images)[0].T):
        return False
    labels = torch.arange(len(images)) % logits.shape[1]
    cross_entropy(model.train()(images), labels).backward()
    dense.backward([images], labels[None, None])
    return torch.allclose(flat.gradient, gradient.vector)
