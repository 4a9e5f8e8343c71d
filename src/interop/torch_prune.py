"""PyTorch's `torch.nn.utils.prune`: SAP as one of its methods, and masks handed over both ways."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from ..library.masks import Masks
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
        weights, alive = {"t": t.detach().float()}, {"t": default_mask.bool()}
        kept = decide(self.method, EXACT, weights, {"t": weights["t"].abs()}, alive).masks["t"]
        return kept.to(default_mask.dtype)


def take_over(network: nn.Module) -> Masks:
    """Masks of what `torch.nn.utils.prune` has pruned, whose pruning is made permanent: weights are parameters again.

    Names are the parameters' usual ones, in the network's order.
    """
    masks = {}
    for prefix, module in network.named_modules():
        for name in [
            key.removesuffix("_mask") for key, _ in module.named_buffers(recurse=False) if _is_mask(module, key)
        ]:
            masks[f"{prefix}.{name}".lstrip(".")] = getattr(module, f"{name}_mask").bool()
            prune.remove(module, name)
    return Masks(masks)


def hand_over(network: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Put masks on as `torch.nn.utils.prune` does, which keeps pruned weights zero by itself."""
    for name, weight in Masks(masks).weights(network).items():
        prune.custom_from_mask(weight.owner, name.rpartition(".")[2], masks[name].to(weight.parameter.device))


def _is_mask(module: nn.Module, key: str) -> bool:
    return key.endswith("_mask") and isinstance(
        getattr(module, key.removesuffix("_mask") + "_orig", None), torch.Tensor
    )
