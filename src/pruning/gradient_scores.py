"""Scores that a gradient of the network tells."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..config.part import setting
from .scores import Score

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..messages import LabelledBatches
    from .masks import Masks, Weights


@dataclass(frozen=True)
class Snip(Score):
    """|w dL/dw|, the sensitivity of the loss to the weight (SNIP, Lee et al. 2019, eq. 6 without its normalisation).

    batches: training batches whose gradients are added up; null: all of them.
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
