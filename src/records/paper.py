"""The methods and sweeps of the paper's figures (PROTOCOL 5.1, 6)."""

from dataclasses import dataclass

from src.records.method import Method, plain

PAPER_KINDS = ("sap", "lottery_ticket", "one_shot", "dense")


def paper_method(kind: str, **settings: float) -> Method:
    """A method with these settings, the others at their defaults, named as its class names it."""
    if kind == "sap":
        parts = [f"{name}={decimal(settings[name])}" for name in ("p", "q")]
        if settings["eta_r"]:
            parts.append(f"$\\eta_r$={decimal(settings['eta_r'])}")
        if settings["gamma"] != 1:
            parts.append(f"$\\gamma$={decimal(settings['gamma'])}")
        short = "-".join(f"{settings[name]:g}" for name in ("p", "q", "eta_r", "gamma"))
        return Method(kind, f"sap-{short}", f"SAP ({', '.join(parts)})", settings)
    short, label = {"lottery_ticket": ("lt", "Lottery Ticket"), "one_shot": ("os", "One Shot")}[kind]
    ratio = settings["ratio"]
    return Method(kind, f"{short}-{ratio:g}", f"{label} (P={decimal(ratio)})", settings)


def decimal(value: float) -> str:
    """A number as the paper's legends write it, with at least one decimal.

    >>> decimal(1), decimal(0.001)
    ('1.0', '0.001')
    """
    text = f"{value:g}"
    return text if "." in text or "e" in text else text + ".0"


SAP = paper_method("sap", p=0.5, q=1.0, eta_r=0.0, gamma=1.0)
SAP_1_2 = paper_method("sap", p=1.0, q=2.0, eta_r=0.0, gamma=1.0)
LOTTERY_TICKET = paper_method("lottery_ticket", ratio=0.2)
ONE_SHOT = paper_method("one_shot", ratio=0.2)
FOUR_METHODS = (SAP, SAP_1_2, LOTTERY_TICKET, ONE_SHOT)


@dataclass(frozen=True)
class Ablation:
    """A sweep over one parameter of SAP, the others held at those of `base`, one of whose values it already has."""

    parameter: str
    symbol: str
    values: tuple[float, ...]
    base: Method
    fixed: str

    @property
    def letter(self) -> str:
        """The parameter's symbol in plain text."""
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
