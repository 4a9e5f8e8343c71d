"""All parameters of a model in one vector, so that an update is a handful of operations whatever the model."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class FlatParameters:
    """A model's parameters and gradients as views of two vectors of shape [parameters]; `leaf` is for an optimizer.

    `gradients` are the gradient's views, one per parameter. The model keeps working as any module; loading
    writes in place, so that captured graphs and views stay valid.
    """

    def __init__(self, model: nn.Module) -> None:
        named = list(model.named_parameters())
        self.names = [name for name, _ in named]
        self.vector = torch.cat([p.detach().flatten() for _, p in named])
        self.gradient = torch.zeros_like(self.vector)
        self.leaf = nn.Parameter(self.vector)
        self.leaf.grad = self.gradient
        sizes = [p.numel() for _, p in named]
        parts = zip(named, torch.split(self.vector, sizes), torch.split(self.gradient, sizes), strict=True)
        for (_, parameter), values, gradient in parts:
            parameter.data = values.view_as(parameter)
            parameter.grad = gradient.view_as(parameter)
        self.gradients = [parameter.grad for _, parameter in named if parameter.grad is not None]
        self.shapes = [p.shape for _, p in named]
        self._sizes = sizes

    def flatten(self, tensors: Mapping[str, Tensor], default: float = 1.0) -> Tensor:
        """A vector in the parameters' order from tensors by name; `default` where a name is missing."""
        parts = [
            tensors[name].to(self.vector).flatten() if name in tensors else self.vector.new_full((size,), default)
            for name, size in zip(self.names, self._sizes, strict=True)
        ]
        return torch.cat(parts)

    def unflatten(self, vector: Tensor) -> dict[str, Tensor]:
        """Tensors by name from such a vector (views)."""
        parts = zip(self.names, torch.split(vector, self._sizes), self.shapes, strict=True)
        return {name: part.view(shape) for name, part, shape in parts}
