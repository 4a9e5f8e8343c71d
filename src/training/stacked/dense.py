"""Stacked networks of linear layers and ReLUs, by explicit batched matrix products.

Activations are feature-major, [K, features, batch], so that the first layer of all members that share a batch is one
matrix product: their weights [members x outputs, inputs] by the batch [inputs, batch]. The backward pass is written
out: it writes gradients where they belong, which measures faster than autograd's accumulation.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from src.training.stacked.groups import Group
from src.training.stacked.network import hits
from src.training.stacked.products import Products
from src.training.stacked.vectors import StackedVector


class Dense:
    """Weight and bias of layer after layer, ReLU in between: the parameters' order of `linear` and `mlp`."""

    def __init__(
        self, parameters: StackedVector, gradient: StackedVector, groups: Sequence[Group], products: Products
    ) -> None:
        self._products = products
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
            self._products(delta, below, out=self._weight_gradients[layer])
            torch.sum(delta, 2, out=self._bias_gradients[layer])
            delta = self._products(self._weights[layer].transpose(1, 2), delta.transpose(1, 2))
            torch.ops.aten.threshold_backward.grad_input(delta, below, 0, grad_input=delta)
        torch.sum(delta, 2, out=self._bias_gradients[0])
        for members, x in blocks:
            gradient = self._weight_gradients[0][members].view(len(x), -1, x.shape[2])
            self._products(delta[members].reshape(len(x), -1, batch), x.transpose(1, 2), out=gradient)
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
            activation = self._products(weight, hidden[-1].transpose(1, 2)).add_(bias.unsqueeze(2))
        return activation, hidden

    def _first(self, members: slice, x: Tensor) -> Tensor:
        """First layer [members, features, batch] of a block with batches `x` [groups, batch, inputs]."""
        groups, batch, inputs = x.shape
        weight, bias = self._weights[0][members], self._biases[0][members]
        product = self._products(weight.view(groups, -1, inputs), x)
        return product.view(len(bias), -1, batch).add_(bias.unsqueeze(2))

    def _blocks(self, xs: list[Tensor]) -> "list[Block]":
        """Groups of one size as one block, else one block each."""
        if len({len(group) for group in self._groups}) == 1:
            return [(slice(None), torch.stack(xs) if len(xs) > 1 else xs[0][None])]
        return [(slice(g.start, g.stop), x[None]) for g, x in zip(self._groups, xs, strict=True)]


Block = tuple[slice, Tensor]
"""Members of groups of one size, and these groups' batches [groups, batch, inputs]."""
