"""Magnitude pruning along three axes: groups of weights (scope), how many to prune (amount), which ones (pruner)."""

from src.pruning.amounts import Amount, fixed_ratio_amount, sap_amount, sap_count
from src.pruning.masks import Masks, Weights, apply_masks, full_masks, remaining
from src.pruning.pruner import Decision, Pruner, prune
from src.pruning.scopes import GROUPINGS, Grouping

__all__ = [
    "GROUPINGS",
    "Amount",
    "Decision",
    "Grouping",
    "Masks",
    "Pruner",
    "Weights",
    "apply_masks",
    "fixed_ratio_amount",
    "full_masks",
    "prune",
    "remaining",
    "sap_amount",
    "sap_count",
]
