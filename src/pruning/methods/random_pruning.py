"""Random pruning: the control that any score has to beat."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ...config.part import part
from ..scores import Random, Score
from .lottery_ticket import LotteryTicket


@dataclass(frozen=True)
class RandomPruning(LotteryTicket):
    """A fixed ratio of weights drawn at random, by the run's seed, in each iteration."""

    score: Any = part(Score, Random())
    prefix: ClassVar[str] = "random"
    name: ClassVar[str] = "Random"
