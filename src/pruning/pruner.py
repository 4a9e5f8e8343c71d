"""A pruner: scope, amount and the training that decides; `prune` turns weights and masks into the next masks."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from src.pruning.amounts import Amount
from src.pruning.masks import Masks, Weights
from src.pruning.scopes import Grouping


@dataclass(frozen=True)
class Pruner:
    """What distinguishes one pruning method from another.

    grouping: the scope; amount: (weights, alive), both [groups, members], to the count per group;
    one_shot: masks follow from the dense training of iteration 0 alone, instead of from each iteration's own.
    """

    grouping: Grouping
    amount: Callable[[Tensor, Tensor], Amount]
    one_shot: bool = False


@dataclass(frozen=True)
class Decision:
    """The next masks, and r_t summed over the groups where the method has such a bound."""

    masks: dict[str, Tensor]
    bound: float | None


def prune(pruner: Pruner, weights: Weights, masks: Masks) -> Decision:
    """Prune the smallest magnitudes of each group.

    With c weights to prune, the pivot is the (c+1)-th smallest alive magnitude, and alive weights strictly below it
    go (PROTOCOL 1.6): exactly c without ties, fewer with them. Masks are nested: what is pruned stays pruned.
    """
    prunable = {name: weights[name] for name in masks}
    kept, bounds = [], []
    for w, alive in zip(pruner.grouping.split(prunable), pruner.grouping.split(masks), strict=True):
        amount = pruner.amount(w, alive)
        magnitude = torch.where(alive, w.abs(), torch.inf)
        kept.append(alive & (magnitude >= _pivot(magnitude, amount.count)[:, None]))
        if amount.bound is not None:
            bounds.append(float(amount.bound.nansum()))
    return Decision(pruner.grouping.join(kept, masks), sum(bounds) if bounds else None)


def _pivot(magnitude: Tensor, count: Tensor) -> Tensor:
    """The (count+1)-th smallest of each row; infinity where a row has no more than `count` members."""
    members = magnitude.shape[1]
    index = count.clamp(max=members - 1)
    if len(magnitude) == 1:  # selection instead of sorting: a network's weights are one row of millions
        pivot = magnitude.kthvalue(int(index) + 1, dim=1).values
    else:
        pivot = magnitude.sort(dim=1).values.gather(1, index[:, None])[:, 0]
    return torch.where(count < members, pivot, torch.inf)
