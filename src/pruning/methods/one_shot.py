"""One-shot pruning: all masks from the one dense network."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from .lottery_ticket import LotteryTicket


@dataclass(frozen=True)
class OneShot(LotteryTicket):
    """A fixed ratio more of the dense network's smallest magnitudes in each iteration (PROTOCOL 2.4, A2)."""

    decided_on: ClassVar[Literal["iteration", "dense", "initialisation"]] = "dense"
    protocol: ClassVar[tuple[str, ...]] = ("fixed_ratio", "one_shot")
    prefix: ClassVar[str] = "os"
    name: ClassVar[str] = "One Shot"
