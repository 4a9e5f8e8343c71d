"""All parameters of a model in one vector: a step is few operations whatever they are."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class FlatParameters:
    """A model's parameters [parameters], and the gradient [trained], as vectors of which the model has views.

    Frozen parameters (`requires_grad=False`) come last: `trained` is the part of `vector` before them. `gradients` are
    the gradient's views, one per parameter. The model keeps working as any module; loading writes in place, so that
    captured graphs and views stay valid.
    """

    def __init__(self, model: nn.Module) -> None:
        named = sorted(model.named_parameters(), key=lambda item: not item[1].requires_grad)
        self.names = [name for name, _ in named]
        self.shapes = [p.shape for _, p in named]
        self._sizes = [p.numel() for _, p in named]
        self.vector = torch.cat([p.detach().flatten() for _, p in named])
        gradient, trained = torch.zeros_like(self.vector), sum(p.numel() for _, p in named if p.requires_grad)
        self.trained, self.gradient, self.gradients = self.vector[:trained], gradient[:trained], list[Tensor]()
        views = (self.unflatten(vector).values() for vector in (self.vector, gradient))
        for (_, p), values, part in zip(named, *views, strict=True):
            p.data = values
            if p.requires_grad:
                p.grad = part
                self.gradients.append(part)

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


def clip_(gradient: Tensor, parts: Sequence[Tensor], max_norm: float) -> None:
    """Scale a gradient [parameters] to a 2-norm of at most `max_norm`, in place, without synchronising with the host.

    The coefficient is max_norm / (norm + 1e-6), capped at 1 (PROTOCOL 3.1). The norm is that of the norms of the
    `parts`, the views of `gradient` by parameter: PyTorch's order of summation, so that results equal its bit for bit.
    """
    if gradient.is_cuda:
        norm = torch.nn.utils.get_total_norm(parts)
    else:  # the same without what finds that all are on one device: a tenth of a small network's step
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in parts]))
    gradient.mul_((max_norm / (norm + 1e-6)).clamp_(max=1.0))


ALIGNED = 16
"""Numbers in 64 bytes: kernels treat what begins elsewhere, and the last numbers of a vector, in other ways."""


def padded(size: int) -> int:
    """The next multiple of ALIGNED."""
    return -(-size // ALIGNED) * ALIGNED
