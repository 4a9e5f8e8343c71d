"""A pruning method with its parameters, as a record's configuration names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHORT = {"lottery_ticket": "lt", "one_shot": "os"}
LONG = {"lottery_ticket": "Lottery Ticket", "one_shot": "One Shot"}
BETA = 0.9


@dataclass(frozen=True)
class Method:
    """`sap` with p, q, eta_r, gamma, beta; `lottery_ticket` and `one_shot` with ratio; `dense`."""

    name: str
    p: float | None = None
    q: float | None = None
    eta_r: float | None = None
    gamma: float | None = None
    beta: float | None = None
    ratio: float | None = None

    @classmethod
    def from_config(cls, prune: Mapping[str, Any]) -> "Method":
        """From the section `prune` of a resolved configuration."""
        fields = ("p", "q", "eta_r", "gamma", "beta", "ratio")
        return cls(str(prune["name"]), **{f: float(prune[f]) for f in fields if prune.get(f) is not None})

    def having(self, parameter: str, value: float) -> "Method":
        """The same method with one parameter changed."""
        return Method(**{**vars(self), parameter: value})

    @property
    def key(self) -> str:
        """Short name as in PROTOCOL 5: `sap-0.5-1-0-1`, `lt-0.2`; another beta than 0.9 is appended.

        >>> Method("sap", 0.5, 1.0, 0.0, 1.0, 0.9).key
        'sap-0.5-1-0-1'
        """
        if self.name == "sap":
            numbers = [self.p, self.q, self.eta_r, self.gamma]
            beta = "" if self.beta in (None, BETA) else f"-beta{self.beta:g}"
            return "sap-" + "-".join(f"{number:g}" for number in numbers) + beta
        return self.name if self.ratio is None else f"{SHORT.get(self.name, self.name)}-{self.ratio:g}"

    @property
    def label(self) -> str:
        """Name for a legend: `SAP (p=0.5, q=1.0)`, with eta_r, gamma and beta only where they are not the paper's."""
        if self.name != "sap":
            long = LONG.get(self.name, self.name.capitalize())
            return long if self.ratio is None else f"{long} (P={decimal(self.ratio)})"
        parts = [f"p={decimal(self.p)}", f"q={decimal(self.q)}"]
        if self.eta_r:
            parts.append(f"$\\eta_r$={decimal(self.eta_r)}")
        if self.gamma != 1:
            parts.append(f"$\\gamma$={decimal(self.gamma)}")
        if self.beta not in (None, BETA):
            parts.append(f"$\\beta$={decimal(self.beta)}")
        return f"SAP ({', '.join(parts)})"

    @property
    def text(self) -> str:
        """The label without mathematical markup."""
        return plain(self.label)


def decimal(value: float | None) -> str:
    """A number as the paper's legends write it, with at least one decimal.

    >>> decimal(1), decimal(0.001)
    ('1.0', '0.001')
    """
    text = f"{value:g}"
    return text if "." in text or "e" in text else text + ".0"


def plain(label: str) -> str:
    """A legend's label in plain Unicode.

    >>> plain("SAP ($\\\\eta_r$=0.1)")
    'SAP (η_r=0.1)'
    """
    for markup, letter in (("$\\eta_r$", "η_r"), ("$\\gamma$", "γ"), ("$\\beta$", "β")):
        label = label.replace(markup, letter)
    return label
