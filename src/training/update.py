"""One update of the parameters: clip, mask, Nesterov step."""

import torch
from torch import Tensor


def clip_(gradient: Tensor, max_norm: float) -> None:
    """Scale the gradient to a 2-norm of at most `max_norm`; coefficient max_norm / (norm + 1e-6), capped at 1.

    In place, along the last dimension: [..., parameters]. No host synchronisation.
    """
    norm = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
    gradient.mul_((max_norm / (norm + 1e-6)).clamp_(max=1.0))


def sgd_(
    parameters: Tensor,
    gradient: Tensor,
    velocity: Tensor,
    lr: float | Tensor,
    *,
    momentum: float,
    weight_decay: float,
    nesterov: bool,
) -> None:
    """SGD with momentum and weight decay as torch.optim.SGD does it, in place; the gradient is used up."""
    gradient.add_(parameters, alpha=weight_decay)
    velocity.mul_(momentum).add_(gradient)
    direction = gradient.add_(velocity, alpha=momentum) if nesterov else velocity
    parameters.sub_(direction * lr)
