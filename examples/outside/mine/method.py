"""A pruning method: a ratio that shrinks as weights become few."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.config.part import setting
from src.pruning.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from src.config.protocol import ProtocolConfig
    from src.pruning.amounts import Amount


@dataclass(frozen=True)
class Tapered(Method):
    """Of a group's n weights, of which d are alive, floor(ratio (d/n)^power d) go.

    The smallest magnitudes go, and the network is rewound to its initial state: that is inherited, as `score` and
    `rewind`. With power=0 the ratio is fixed, as a lottery ticket's.
    """

    ratio: float = setting(0.4, above=0, below=1)
    power: float = setting(1.0, at_least=0)

    def amount(self, weights: "Tensor", alive: "Tensor", iteration: int, protocol: "ProtocolConfig") -> "Amount":
        from src.pruning.amounts import Amount

        d = alive.sum(dim=1).double()
        ratio = self.ratio * (d / alive.shape[1]) ** self.power
        return Amount((ratio * d).floor().long())

    @property
    def title(self) -> str:
        return f"Tapered (P={self.ratio:g}, power {self.power:g})"
