"""Pruning before the first training: masks that the untrained network decides."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ...config.part import part
from ..gradient_scores import Snip, Synflow
from ..methods.lottery_ticket import LotteryTicket
from ..scores import Score


@dataclass(frozen=True)
class AtInitialisation(LotteryTicket):
    """In iteration t, t rounds of scoring and pruning a fixed ratio of the untrained network come before its training.

    Iteration 0 is the dense training that all methods share, for comparison.
    """

    decided_on: ClassVar[Literal["iteration", "dense", "initialisation"]] = "initialisation"
    prefix: ClassVar[str] = "init"
    name: ClassVar[str] = "At initialisation"


@dataclass(frozen=True)
class SnipPruning(AtInitialisation):
    """By the sensitivity of the loss (Lee et al. 2019); more than one round is iterative SNIP."""

    score: Any = part(Score, Snip())
    prefix: ClassVar[str] = "snip"
    name: ClassVar[str] = "SNIP"


@dataclass(frozen=True)
class SynflowPruning(AtInitialisation):
    """By the synaptic flow (Tanaka et al. 2020)."""

    score: Any = part(Score, Synflow())
    prefix: ClassVar[str] = "synflow"
    name: ClassVar[str] = "SynFlow"
