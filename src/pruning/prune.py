"""From scores, groups and amounts to the next masks."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..config.part import shown
from ..config.protocol import ProtocolConfig
from ..errors import UserError
from .amounts import Amount
from .masks import Masks, Weights
from .method import Method


@dataclass(frozen=True)
class Decision:
    """The next masks, and r_t summed over the groups where the method has such a bound."""

    masks: dict[str, Tensor]
    bound: float | None


def prune(
    method: Method, protocol: ProtocolConfig, weights: Weights, scores: Weights, masks: Masks, iteration: int = 0
) -> Decision:
    """Prune the lowest scores of each group.

    With c weights to prune, the pivot is the (c+1)-th lowest alive score, and alive weights strictly below it go
    (PROTOCOL 1.6): exactly c without ties, fewer with them. Masks are nested: what is pruned stays pruned.

    Raises:
        UserError: alive weights that are NaN or infinite; scores that are NaN or not of the weights' names and shapes;
            amounts that are none.
    """
    for name, mask in masks.items():
        if not bool(torch.where(mask, weights[name], 0).isfinite().all()):
            raise UserError(f"weights of {name} are NaN or infinite: nothing can be decided by them; lower trainer.lr")
    check_scores(scores, masks)
    grouping = method.grouping(protocol)
    cut = [grouping.split({name: tensors[name] for name in masks}) for tensors in (weights, masks, scores)]
    kept, bounds = [], []
    for w, alive, score in zip(*cut, strict=True):
        amount = method.amount(w, alive.clone(), iteration, protocol)  # a method may write into it
        count = amount.count if isinstance(amount, Amount) else None
        whole = isinstance(count, Tensor) and count.dtype in (torch.int64, torch.int32)
        if not whole or count.shape != (len(w),) or bool((count < 0).any()):
            raise UserError(
                f"{type(method).__name__}.amount gave {shown(amount)} for {len(w)} groups; "
                "it must give an Amount whose count is a tensor of whole numbers, one of 0 or more for each group"
            )
        score = torch.where(alive, score, torch.inf)
        kept.append(alive & (score >= _pivot(score, count.long())[:, None]))
        if amount.bound is not None:
            bounds.append(float(amount.bound.nansum()))
    return Decision(grouping.join(kept, masks), sum(bounds) if bounds else None)


def check_scores(scores: Weights, masks: Masks) -> None:
    """Raise UserError where scores are missing, of the wrong shape, or not numbers where weights are alive."""
    for name, mask in masks.items():
        if name not in scores or scores[name].shape != mask.shape:
            found = f"shape {list(scores[name].shape)}" if name in scores else "nothing"
            raise UserError(
                f"prune.score gave {found} for {name}; it must give one score for each of {list(mask.shape)}"
            )
        if bool(scores[name][mask].isnan().any()):
            raise UserError(
                f"prune.score gave NaN for {name}; check the score, or lower trainer.lr where weights diverge"
            )


def _pivot(score: Tensor, count: Tensor) -> Tensor:
    """The (count+1)-th lowest of each row; infinity where a row has no more than `count` members."""
    members = score.shape[1]
    index = count.clamp(max=members - 1)
    if len(score) == 1:  # selection instead of sorting: a network's weights are one row of millions
        pivot = score.kthvalue(int(index) + 1, dim=1).values
    else:
        pivot = score.sort(dim=1).values.gather(1, index[:, None])[:, 0]
    return torch.where(count < members, pivot, torch.inf)
