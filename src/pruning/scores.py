"""Scores: what is pruned first. In each group the lowest scores go."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..config.part import Part, setting

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..messages import LabelledBatches
    from .masks import Masks, Weights

RANDOM_DRAWS = 7
"""Tells the random numbers of a score from those of batches and of initial states."""


@dataclass(frozen=True)
class Score(Part):
    """A score of every prunable weight: tensors of the weights' names and shapes.

    One that looks at weights alone defines `of_weights`. One that needs the network, its gradients or the training
    images sets `needs_network` and defines `of_network`, which an engine runs.
    """

    needs_network: ClassVar[bool] = False

    def of_weights(self, weights: "Weights", draws: Sequence[int]) -> "Weights":
        """Scores of the prunable tensors `weights`; `draws` (seed and iteration) is for random numbers."""
        raise NotImplementedError(f"{type(self).__name__} has to define of_weights() or of_network()")

    def of_network(self, network: "nn.Module", batches: "LabelledBatches", masks: "Masks") -> "Weights":
        """Scores of the tensors that `masks` names, of a network whose pruned weights are zero."""
        raise NotImplementedError(f"{type(self).__name__} has to define of_network()")


@dataclass(frozen=True)
class Magnitude(Score):
    """|w|, the paper's."""

    def of_weights(self, weights: "Weights", draws: Sequence[int]) -> "Weights":
        return {name: w.abs() for name, w in weights.items()}


@dataclass(frozen=True)
class Random(Score):
    """A uniform random number, decided by the run's seed and the iteration: the control that looks at nothing."""

    def of_weights(self, weights: "Weights", draws: Sequence[int]) -> "Weights":
        import numpy as np
        import torch

        generator = np.random.default_rng([*draws, RANDOM_DRAWS])
        return {n: torch.from_numpy(generator.random(w.shape, np.float32)).to(w.device) for n, w in weights.items()}


@dataclass(frozen=True)
class Snip(Score):
    """|w dL/dw|, the sensitivity of the loss to the weight (SNIP, Lee et al. 2019, eq. 6 without its normalisation).

    batches: training batches over which the gradient is averaged; null: all of them.
    """

    batches: int | None = setting(1, at_least=1)
    needs_network: ClassVar[bool] = True

    def of_network(self, network: "nn.Module", batches: "LabelledBatches", masks: "Masks") -> "Weights":
        from itertools import islice

        import torch
        from torch.func import functional_call
        from torch.nn.functional import cross_entropy

        state = {name: tensor.detach() for name, tensor in network.state_dict().items()}
        weights = {name: state[name].clone().requires_grad_() for name in masks}
        gradients = {name: torch.zeros_like(w) for name, w in weights.items()}
        for x, y in islice(batches, self.batches):
            loss = cross_entropy(functional_call(network, {**state, **weights}, (x,)), y)
            for total, part in zip(gradients.values(), torch.autograd.grad(loss, list(weights.values())), strict=True):
                total += part
        return {name: (weights[name].detach() * gradients[name]).abs() for name in masks}


@dataclass(frozen=True)
class Synflow(Score):
    """|w dR/dw| with R the summed output of the network of |parameters| on an image of ones (Tanaka et al. 2020).

    Needs no data beyond the images' shape; in float64, where the product over layers does not overflow.
    """

    needs_network: ClassVar[bool] = True

    def of_network(self, network: "nn.Module", batches: "LabelledBatches", masks: "Masks") -> "Weights":
        import torch
        from torch.func import functional_call

        image = torch.ones_like(next(iter(batches))[0][:1], dtype=torch.float64)
        state = {n: t.detach().abs().double() if t.is_floating_point() else t for n, t in network.state_dict().items()}
        weights = {name: state[name].requires_grad_() for name in masks}
        total: Tensor = functional_call(network, {**state, **weights}, (image,)).sum()
        gradients = torch.autograd.grad(total, list(weights.values()))
        return {n: (w.detach() * g).abs() for (n, w), g in zip(weights.items(), gradients, strict=True)}
