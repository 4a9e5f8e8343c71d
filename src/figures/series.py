"""The series of each kind of figure, as the paper has them (PROTOCOL 6)."""

from dataclasses import dataclass, replace

from src.figures.records import Method
from src.figures.records.method import decimal, plain

SAP = Method("sap", p=0.5, q=1.0, eta_r=0.0, gamma=1.0, beta=0.9)
SAP_1_2 = replace(SAP, p=1.0, q=2.0)
LOTTERY_TICKET = Method("lottery_ticket", ratio=0.2)
ONE_SHOT = Method("one_shot", ratio=0.2)
FOUR_METHODS = (SAP, SAP_1_2, LOTTERY_TICKET, ONE_SHOT)


@dataclass(frozen=True)
class Series:
    """One curve: its method, its name in the legend, and its slot in the style."""

    method: Method
    label: str
    slot: str


METHOD_SERIES = tuple(Series(method, method.label, method.key) for method in FOUR_METHODS)


@dataclass(frozen=True)
class Ablation:
    """A sweep over one parameter of SAP, the others fixed at those of `base`, one of whose values it already has."""

    parameter: str
    symbol: str
    values: tuple[float, ...]
    base: Method

    @property
    def series(self) -> tuple[Series, ...]:
        return tuple(
            Series(
                self.base.having(self.parameter, value),
                f"SAP ({self.symbol}={decimal(value)})",
                f"rank-{rank}",
            )
            for rank, value in enumerate(self.values)
        )

    @property
    def letter(self) -> str:
        """The parameter's symbol in plain text."""
        return plain(self.symbol)

    @property
    def own(self) -> tuple[Method, ...]:
        """The methods that only this sweep runs."""
        return tuple(series.method for series in self.series if series.method != self.base)

    @property
    def fixed(self) -> str:
        """What the sweep holds fixed, for a caption."""
        held = {"p": "q=1.0", "q": "p=1.0", "eta_r": "p=0.5, q=1.0, γ=1", "gamma": "p=0.5, q=1.0, η_r=0"}
        return held[self.parameter]


ABLATIONS = {
    "p": Ablation("p", "p", (0.2, 0.4, 0.5, 0.6, 0.8), SAP),
    "q": Ablation("q", "q", (1.2, 1.4, 1.6, 1.8, 2.0), SAP_1_2),
    "eta": Ablation("eta_r", "$\\eta_r$", (0.0, 0.001, 0.01, 0.1, 1.0), SAP),
    "gamma": Ablation("gamma", "$\\gamma$", (1.0, 3.0, 5.0, 7.0, 9.0), SAP),
}
