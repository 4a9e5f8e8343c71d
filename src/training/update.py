"""One update of the parameters: clip the gradient, zero that of pruned weights, step."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from src.training.spec import TrainingSpec


def learning_rate(spec: TrainingSpec, epoch: int) -> float:
    """Cosine annealing from `lr` towards 0, for epochs counted from 0 (PROTOCOL 3.1)."""
    return spec.lr * 0.5 * (1 + math.cos(math.pi * epoch / spec.epochs))


def optimizer(leaf: nn.Parameter, velocity: Tensor, spec: TrainingSpec, capturable: bool = False) -> torch.optim.SGD:
    """SGD of one vector as the specification says, by one fused kernel; `velocity` is its momentum buffer.

    Where it is to be captured in a CUDA graph, its learning rate is a tensor, which can change afterwards.
    """
    sgd = torch.optim.SGD(
        [leaf],
        lr=torch.tensor(spec.lr, device=leaf.device) if capturable else spec.lr,
        momentum=spec.momentum,
        weight_decay=spec.weight_decay,
        nesterov=spec.nesterov,
        fused=True,
    )
    sgd.state[leaf]["momentum_buffer"] = velocity
    return sgd


def set_learning_rate(sgd: torch.optim.SGD, lr: float) -> None:
    """In place where the learning rate is a tensor."""
    group = sgd.param_groups[0]
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr


def clip_(gradient: Tensor, parts: Iterable[Tensor], max_norm: float) -> None:
    """Scale a gradient [parameters] to a 2-norm of at most `max_norm`, in place, without synchronising with the host.

    The coefficient is max_norm / (norm + 1e-6), capped at 1 (PROTOCOL 3.1). The norm is that of the norms of the
    `parts`, the views of `gradient` by parameter: PyTorch's order of summation, so that results equal its bit for bit.
    """
    norm = torch.nn.utils.get_total_norm(parts)
    gradient.mul_((max_norm / (norm + 1e-6)).clamp_(max=1.0))
