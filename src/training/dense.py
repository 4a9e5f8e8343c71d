"""Stacked networks of linear layers and ReLUs, by explicit batched matrix products.

Activations are feature-major, [K, features, batch], so that the first layer of members that share a batch may
be one matrix product: their weights [members x outputs, inputs] by the batch [inputs, batch]. Gradients are written
where they belong, which measures faster than autograd's accumulation.
"""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from src.training.alone import SCALES, has_layers
from src.training.products import Products
from src.training.spec import Precision
from src.training.stacked_vector import StackedVector
from src.training.vectors import FlatParameters

TRIAL_IMAGES = 16
"""Random images on which a model is compared with `Dense`."""


class Dense:
    """Weight and bias of layer after layer, ReLU in between; for a model of which `is_dense` holds.

    `groups`: the members that see the same batches. On a CPU no member's numbers depend on the others.
    """

    def __init__(
        self, parameters: StackedVector, gradient: StackedVector, groups: Sequence[range], precision: Precision = "fp32"
    ) -> None:
        self._weights, self._biases = parameters.leaves[::2], parameters.leaves[1::2]
        self._weight_gradients, self._bias_gradients = gradient.leaves[::2], gradient.leaves[1::2]
        self._groups = [slice(group.start, group.stop) for group in groups]
        self._members = len(self._biases[0])
        self._products = Products(precision)
        self._rooms: dict[tuple[str, int, int], Tensor] = {}  # a captured step goes on writing there

    @torch.no_grad()
    def backward(self, xs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Write each member's gradient of its mean cross-entropy; losses summed over the batch and hits, [K] each.

        `xs` holds the batch of each group, [groups, batch, C, H, W]; `labels` [K, 1, batch] are per member.
        """
        products, blocks = self._products, self._blocks(xs.flatten(2))
        logits, hidden = self._forward(blocks)
        log_probability = logits.log_softmax(1)
        losses, correct = negative_sum(log_probability.gather(1, labels)), hits(logits, labels)

        batch = logits.shape[2]
        delta = log_probability.exp_().div_(batch)
        delta.scatter_add_(1, labels, delta.new_full((1, 1, 1), -1 / batch).expand(self._members, 1, batch))
        for layer in range(len(hidden), 0, -1):
            below = hidden[layer - 1]
            products(delta, below.mT, self._weight_gradients[layer])
            torch.sum(delta, 2, out=self._bias_gradients[layer])
            delta = products(self._weights[layer].mT, delta, self._room("delta", layer, *below.shape[1:]))
            torch.ops.aten.threshold_backward.grad_input(delta, below, 0, grad_input=delta)
        torch.sum(delta, 2, out=self._bias_gradients[0])
        for members, x in blocks:
            products(delta[members], x, self._weight_gradients[0][members])
        return losses, correct

    @torch.no_grad()
    def logits(self, x: Tensor) -> Tensor:
        """All members' logits [K, classes, batch] of the same images, in evaluation mode; there until the next ones."""
        return self._forward([(slice(None), x.flatten(1))])[0]

    def _forward(self, blocks: "list[Block]") -> tuple[Tensor, list[Tensor]]:
        """Logits [K, classes, batch] and the hidden layers' activations [K, features, batch]."""
        weight, hidden, batch = self._weights[0], list[Tensor](), blocks[0][1].shape[-2]
        activation = self._room("activation", 0, weight.shape[1], batch)
        for members, x in blocks:
            self._products(weight[members], x.mT, activation[members])
        activation.add_(self._biases[0].unsqueeze(2))
        for layer, (weight, bias) in enumerate(zip(self._weights[1:], self._biases[1:], strict=True), 1):
            hidden.append(activation.relu_())
            activation = self._room("activation", layer, weight.shape[1], batch)
            self._products(weight, hidden[-1], activation).add_(bias.unsqueeze(2))
        return activation, hidden

    def _room(self, what: str, layer: int, features: int, batch: int) -> Tensor:
        """Room [K, features, batch] for `what` of a layer, the same in each step: new memory costs a sixth of it."""
        size = self._members * features * batch
        if (what, layer, size) not in self._rooms:
            self._rooms[what, layer, size] = self._weights[0].new_empty(size)
        return self._rooms[what, layer, size].view(self._members, features, batch)

    def _blocks(self, xs: Tensor) -> "list[Block]":
        """A block for each group, or one for all where every member has a batch of its own."""
        apart = 1 < len(xs) == self._members
        return [(slice(None), xs)] if apart else list(zip(self._groups, xs, strict=True))


Block = tuple[slice, Tensor]
"""Members, and their batch [batch, inputs] or batches [members, batch, inputs]."""


def hits(logits: Tensor, labels: Tensor) -> Tensor:
    """Images whose largest logit is their label's, [K]; `logits` [K, classes, batch], `labels` [K, 1, batch]."""
    # max, not argmax: the same first index of equals, 20 times as fast over this dimension on a CPU
    return (logits.max(1, keepdim=True).indices == labels).sum((1, 2))


def negative_sum(values: Tensor) -> Tensor:
    """Minus the sums [K] of values [K, 1, batch]."""
    # a single sum would be split over the threads
    return -values.expand(max(len(values), 2), -1, -1).sum((1, 2))[: len(values)]


def is_dense(model: nn.Module, image_shape: tuple[int, int, int]) -> bool:
    """Whether a model computes what `Dense` does: by its parameters' shapes, and on random parameters and images.

    Logits in evaluation mode and gradients in training mode are compared in float64; `model` stays as it is. Another
    activation, order or dropout shows there, whatever the class is called, and so does a draw without effect.
    """
    if not has_layers(model, math.prod(image_shape)):
        return False
    trial = copy.deepcopy(model).to("cpu", torch.float64)
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for p in trial.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) / math.sqrt(p.shape[-1]))
    images = torch.randn(TRIAL_IMAGES, *image_shape, generator=generator, dtype=torch.float64)
    try:
        with torch.random.fork_rng(devices=[]):
            return all(_agrees(trial, scale * images) for scale in SCALES)
    except (RuntimeError, ValueError, TypeError):  # it does not take such images
        return False


def _agrees(model: nn.Module, images: Tensor) -> bool:
    flat, drawn = FlatParameters(model), torch.get_rng_state()
    parameters, gradient = (StackedVector.zeros(flat.shapes, 1, images.device, images.dtype) for _ in range(2))
    parameters.set_member(0, flat.vector)
    dense = Dense(parameters, gradient, [range(1)])
    with torch.no_grad():
        logits = model.eval()(images)
    if logits.shape != dense.logits(images)[0].T.shape or not torch.allclose(logits, dense.logits(images)[0].T):
        return False
    labels = torch.arange(len(images)) % logits.shape[1]
    cross_entropy(model.train()(images), labels).backward()
    dense.backward(images[None], labels[None, None])
    return torch.allclose(flat.gradient, gradient.member(0)) and torch.equal(torch.get_rng_state(), drawn)
