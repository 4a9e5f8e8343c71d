"""Random pruning: the control that any score has to beat."""

from dataclasses import dataclass
from typing import Any, ClassVar

from src.config.part import part
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.pruning.scores import Random, Score


@dataclass(frozen=True)
class RandomPruning(LotteryTicket):
    """A fixed ratio of weights drawn at random, by the run's seed, in each iteration."""

    score: Any = part(Score, Random())
    prefix: ClassVar[str] = "random"
    name: ClassVar[str] = "Random"
