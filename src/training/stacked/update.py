"""Clipping of many members' gradients at once."""

import torch

from src.training.stacked.vectors import StackedVector


def clip_(gradient: StackedVector, max_norm: float) -> None:
    """Scale every member's gradient to a 2-norm of at most `max_norm`, in place, each by its own norm.

    As for one member (`src.training.update.clip_`): the norm of the parameters' norms, max_norm / (norm + 1e-6),
    capped at 1.
    """
    norms = torch.stack([torch.linalg.vector_norm(rows, dim=1) for rows in gradient.rows])
    coefficient = (max_norm / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp_(max=1.0)[:, None]
    for rows in gradient.rows:
        rows.mul_(coefficient)
