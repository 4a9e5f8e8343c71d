"""One value per parameter and member: parameters, gradients, velocities, masks of a whole stack."""

from collections.abc import Sequence

import torch
from torch import Tensor


class StackedVector:
    """K members' tensors of given shapes in one vector, tensor-major: all members' first tensor, then their second, ...

    `vector` [K x parameters] is what an optimizer sees; `leaves` are its views [K, *shape], one per tensor, and `rows`
    the same as [K, size]. A member's own values, in a model's order [parameters], are copied in and out.
    """

    def __init__(self, shapes: Sequence[torch.Size], members: int, device: torch.device) -> None:
        sizes = [shape.numel() for shape in shapes]
        self.vector = torch.zeros(members * sum(sizes), device=device)
        self.rows = [part.view(members, -1) for part in self.vector.split([members * size for size in sizes])]
        self.leaves = [rows.view(members, *shape) for rows, shape in zip(self.rows, shapes, strict=True)]
        self._sizes = sizes

    def member(self, k: int) -> Tensor:
        """A copy of member `k`'s values [parameters]."""
        return torch.cat([rows[k] for rows in self.rows])

    def set_member(self, k: int, values: Tensor) -> None:
        """Write member `k`'s values [parameters]."""
        for rows, part in zip(self.rows, values.split(self._sizes), strict=True):
            rows[k] = part

    def clear(self, k: int) -> None:
        """Set member `k`'s values to zero."""
        for rows in self.rows:
            rows[k] = 0

    def copy_members(self, source: "StackedVector", chosen: Tensor) -> None:
        """Copy the values of the members `chosen` (indices [n] on the device) from another vector of this shape."""
        for rows, other in zip(self.rows, source.rows, strict=True):
            rows.index_copy_(0, chosen, other.index_select(0, chosen))
