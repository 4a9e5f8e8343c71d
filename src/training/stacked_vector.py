"""All parameters of a stack of models in one vector."""

from collections.abc import Sequence

import torch
from torch import Tensor

from src.training.vectors import padded


class StackedVector:
    """K members' tensors of given shapes in one vector, tensor-major: all members' first tensor, then their second, ...

    Every tensor begins at a multiple of 64 bytes and is filled up with zeros, so that no member's numbers depend on its
    place. `vector` [stacked_size] is what an optimizer sees; `leaves` are its views [K, *shape], one per tensor, and
    `rows` the same as [K, size], filling included. A member's own values, in a model's order [parameters], are copied
    in and out.
    """

    def __init__(self, shapes: Sequence[torch.Size], members: int, vector: Tensor) -> None:
        self._sizes = [shape.numel() for shape in shapes]
        parts = vector.split([members * padded(size) for size in self._sizes])
        self.vector = vector
        self.rows = [part.view(members, -1) for part in parts]
        self._values = [rows[:, :size] for rows, size in zip(self.rows, self._sizes, strict=True)]
        self.leaves = [values.view(members, *shape) for values, shape in zip(self._values, shapes, strict=True)]

    @classmethod
    def zeros(
        cls, shapes: Sequence[torch.Size], members: int, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> "StackedVector":
        """Of zeros."""
        size = members * sum(padded(shape.numel()) for shape in shapes)
        return cls(shapes, members, torch.zeros(size, dtype=dtype, device=device))

    def member(self, k: int) -> Tensor:
        """A copy of member `k`'s values [parameters]."""
        return torch.cat([values[k] for values in self._values])

    def set_member(self, k: int, values: Tensor) -> None:
        """Write member `k`'s values [parameters]."""
        for place, part in zip(self._values, values.split(self._sizes), strict=True):
            place[k] = part

    def copy_members(self, source: "StackedVector", chosen: Tensor) -> None:
        """Copy the values of the members `chosen` (indices [n] on the device) from another vector of this shape."""
        for rows, other in zip(self.rows, source.rows, strict=True):
            rows.index_copy_(0, chosen, other.index_select(0, chosen))

    def clip_(self, max_norm: float) -> None:
        """Scale every member's values to a 2-norm of at most `max_norm`, in place, each by its own norm."""
        norms = torch.stack([torch.linalg.vector_norm(rows, dim=1) for rows in self.rows], dim=1)
        coefficient = (max_norm / (torch.linalg.vector_norm(norms, dim=1, keepdim=True) + 1e-6)).clamp_(max=1.0)
        for rows in self.rows:
            rows.mul_(coefficient)
