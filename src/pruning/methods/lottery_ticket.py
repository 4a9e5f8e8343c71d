"""Lottery ticket (Frankle & Carbin 2019): a fixed ratio of the smallest magnitudes, again and again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ...config.part import setting
from ..method import Method, decimal

if TYPE_CHECKING:
    from torch import Tensor

    from ...config.protocol import ProtocolConfig
    from ..amounts import Amount
    from ..scopes import Grouping


@dataclass(frozen=True)
class LotteryTicket(Method):
    """Of n alive weights of a group ceil(P (n - 1)) go, P being `ratio` (PROTOCOL 1.7).

    ratio: P, the share of the alive weights that goes in each iteration.
    """

    ratio: float = setting(0.2, above=0, below=1)

    protocol: ClassVar[tuple[str, ...]] = ("fixed_ratio",)
    prefix: ClassVar[str] = "lt"
    name: ClassVar[str] = "Lottery Ticket"

    def amount(self, weights: "Tensor", alive: "Tensor", iteration: int, protocol: "ProtocolConfig") -> "Amount":
        from ..amounts import fixed_ratio_amount

        return fixed_ratio_amount(alive, self.ratio, floor=protocol.fixed_ratio.count == "floor")

    def grouping(self, protocol: "ProtocolConfig") -> "Grouping":
        from ..scopes import GROUPINGS

        by_position = self.scope == "neuron" and protocol.fixed_ratio.neuron_group == "dim1"  # A7
        return GROUPINGS["neuron_dim1" if by_position else self.scope]

    @property
    def abbreviation(self) -> str:
        return f"{self.prefix}-{self.ratio:g}"

    @property
    def title(self) -> str:
        return f"{self.name} (P={decimal(self.ratio)})"
