"""Pruning by a schedule: how much goes at each iteration is given, not found."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ...config.part import setting
from ..method import decimal
from .lottery_ticket import LotteryTicket

if TYPE_CHECKING:
    from torch import Tensor

    from ...config.protocol import ProtocolConfig
    from ..amounts import Amount


@dataclass(frozen=True)
class Scheduled(LotteryTicket):
    """The lottery ticket with a ratio of its own for each of the first iterations, the same for every group.

    ratios: P of iterations 0, 1, ...; after them it is `ratio`. With those of an adaptive method's run this is the
    control that prunes as much of the whole, in equal shares.
    """

    ratios: list[float] = setting([], at_least=0, below=1)

    prefix: ClassVar[str] = "schedule"
    name: ClassVar[str] = "Schedule"

    def amount(self, weights: "Tensor", alive: "Tensor", iteration: int, protocol: "ProtocolConfig") -> "Amount":
        ratio = self.ratios[iteration] if iteration < len(self.ratios) else self.ratio
        return LotteryTicket(ratio=ratio).amount(weights, alive, iteration, protocol)

    @property
    def abbreviation(self) -> str:
        return "-".join([self.prefix, *(f"{ratio:g}" for ratio in (*self.ratios, self.ratio))])

    @property
    def title(self) -> str:
        if not self.ratios:
            return super().title
        first, last = (decimal(ratio) for ratio in (self.ratios[0], self.ratios[-1]))
        return f"{self.name} (P={first} to {last}, {len(self.ratios)} iterations, then {decimal(self.ratio)})"
