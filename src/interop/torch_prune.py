"""PyTorch's `torch.nn.utils.prune`: SAP as one of its methods, and masks handed over both ways."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from ..errors import UserError
from ..library.masks import Masks
from ..library.network import is_weight
from ..library.pruning import EXACT
from ..pruning.methods.sap import Sap
from ..pruning.prune import prune as decide


class SapPruning(prune.BasePruningMethod):
    """SAP of one tensor, or of many as one group with `prune.global_unstructured(..., pruning_method=SapPruning)`.

    >>> layer = SapPruning.apply(nn.Linear(8, 8), "weight", p=0.5, q=1.0)
    >>> prune.is_pruned(layer)
    True
    """

    PRUNING_TYPE = "unstructured"

    def __init__(self, **settings: Any) -> None:
        self.method = Sap(scope="global", **settings)
        self.method.check("SAP")

    @classmethod
    def apply(cls, module: nn.Module, name: str, **settings: Any) -> nn.Module:  # type: ignore[override]
        """Prune the parameter `name`; `settings` are p, q, eta_r, gamma, beta."""
        super().apply(module, name, **settings)  # type: ignore[no-untyped-call]
        return module

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """1 where the weight stays, of those that `default_mask` has kept."""
        if t.numel() == 0:  # of a tensor that is pruned already, PyTorch gives what is left of it
            return default_mask
        weights, alive = {"t": t.detach().float()}, {"t": default_mask.bool()}
        kept = decide(self.method, EXACT, weights, {"t": weights["t"].abs()}, alive).masks["t"]
        return kept.to(default_mask.dtype)


def take_over(network: nn.Module) -> Masks:
    """Masks of what `torch.nn.utils.prune` has pruned, whose pruning is made permanent: weights are parameters again.

    Names are the parameters' usual ones, in the network's order. Of a weight that layers share only what all have kept
    is alive.

    Raises:
        UserError: something else than weights is pruned; nothing is made permanent then.
    """
    pruned = [
        (f"{prefix}.{key}".removesuffix("_mask").lstrip("."), module)
        for prefix, module in network.named_modules()
        for key, _ in list(module.named_buffers(recurse=False))
        if _is_mask(module, key)
    ]
    for name, module in pruned:
        if not is_weight(name, getattr(module, f"{_last(name)}_orig")):
            raise UserError(
                f"{name} is pruned and no weight of two dimensions or more: make that permanent yourself, "
                f"prune.remove(layer, {_last(name)!r})"
            )
    kept: dict[int, tuple[str, Tensor]] = {}
    for name, module in pruned:
        mask = getattr(module, f"{_last(name)}_mask").bool()
        prune.remove(module, _last(name))
        first, before = kept.get(id(getattr(module, _last(name))), (name, mask))
        kept[id(getattr(module, _last(name)))] = first, before & mask
    return Masks(dict(kept.values()))


def hand_over(network: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Put masks on as `torch.nn.utils.prune` does, which keeps pruned weights zero by itself, in all layers that share.

    Raises:
        UserError: masks of another network; a weight that its layer is not called for.
    """
    weights = Masks(masks).weights(network)
    uncalled = {id(m.out_proj) for m in network.modules() if isinstance(m, nn.MultiheadAttention)}
    found = [
        (weight.name, holder, name)
        for weight in weights.values()
        for holder in network.modules()
        for name, parameter in holder.named_parameters(recurse=False)
        if parameter is weight.parameter
    ]
    for name, holder, _ in found:
        if id(holder) in uncalled:
            raise UserError(
                f"{name}: attention uses the weight of its output layer without calling the layer, which "
                "torch.nn.utils.prune relies on; masks.hold(network, optimizer) keeps it zero"
            )
    for name, holder, attribute in found:
        prune.custom_from_mask(holder, attribute, masks[name].to(weights[name].parameter.device))


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _is_mask(module: nn.Module, key: str) -> bool:
    return key.endswith("_mask") and isinstance(
        getattr(module, key.removesuffix("_mask") + "_orig", None), torch.Tensor
    )
