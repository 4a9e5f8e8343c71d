"""Pruning methods as records name them, of this repository or of anyone else's, and those of the paper's figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from src.pruning.methods.dense import Dense
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.pruning.methods.one_shot import OneShot
from src.pruning.methods.sap import Sap
from src.records.schema import plain

CLASSES: dict[str, Any] = {cls.kind(): cls for cls in (Sap, LotteryTicket, OneShot, Dense)}
"""The kinds of methods that the paper has."""


@dataclass(frozen=True)
class Method:
    """Methods with the same `short` are the same; `label` is for legends, `settings` are the class's fields."""

    kind: str
    short: str
    label: str = field(compare=False)
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def text(self) -> str:
        return plain(self.label)

    @property
    def leaves_layers_out(self) -> bool:
        """Whether some layers are not pruned: its percentages and indices are those of the others."""
        return bool(self.settings.get("exclude"))


def paper_method(kind: str, **settings: float) -> Method:
    """A method with these settings, the others at their defaults, named as its class names it."""
    part = CLASSES[kind](**settings)
    return Method(part.kind(), part.short, part.label, settings)


SAP = paper_method("sap", p=0.5, q=1.0, eta_r=0.0, gamma=1.0)
SAP_1_2 = paper_method("sap", p=1.0, q=2.0, eta_r=0.0, gamma=1.0)
LOTTERY_TICKET = paper_method("lottery_ticket", ratio=0.2)
ONE_SHOT = paper_method("one_shot", ratio=0.2)
FOUR_METHODS = (SAP, SAP_1_2, LOTTERY_TICKET, ONE_SHOT)


@dataclass(frozen=True)
class Ablation:
    """A sweep over one parameter of SAP, the others `fixed` at those of `base`, one of whose values it already has."""

    parameter: str
    symbol: str
    values: tuple[float, ...]
    base: Method
    fixed: str

    @property
    def letter(self) -> str:
        return plain(self.symbol)

    @property
    def methods(self) -> tuple[Method, ...]:
        return tuple(paper_method("sap", **{**self.base.settings, self.parameter: value}) for value in self.values)

    @property
    def own(self) -> tuple[Method, ...]:
        """The methods that only this sweep runs."""
        return tuple(method for method in self.methods if method != self.base)


ABLATIONS = {
    "p": Ablation("p", "p", (0.2, 0.4, 0.5, 0.6, 0.8), SAP, "q=1.0"),
    "q": Ablation("q", "q", (1.2, 1.4, 1.6, 1.8, 2.0), SAP_1_2, "p=1.0"),
    "eta": Ablation("eta_r", "$\\eta_r$", (0.0, 0.001, 0.01, 0.1, 1.0), SAP, "p=0.5, q=1.0, γ=1"),
    "gamma": Ablation("gamma", "$\\gamma$", (1.0, 3.0, 5.0, 7.0, 9.0), SAP, "p=0.5, q=1.0, η_r=0"),
}
