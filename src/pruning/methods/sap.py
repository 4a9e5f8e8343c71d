"""Sparsity-informed Adaptive Pruning (Algorithm 1): the sparser a group already is, the more of it goes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ...config.part import choice, require, setting
from ..method import Method, decimal

if TYPE_CHECKING:
    from torch import Tensor

    from ...config.protocol import ProtocolConfig
    from ..amounts import Amount


@dataclass(frozen=True)
class Sap(Method):
    """r = ceil(d (1 + eta_r)^(-q/(q-p)) (1 - I)^(pq/(q-p))) weights stay, floor(d clamp(gamma (1 - r/d), 0, beta)) go.

    I is the PQ Index with norms p < q or, as controls, the Gini index or Hoyer's measure in its place.

    p, q: norms of the PQ Index, 0 < p < q; eta_r: the sum of |w|^p that may go, for each 1 of it that stays; gamma: how
    much of what the bound spares goes, above 1 more of it; beta: the largest share of a group that goes at once;
    measure: the index.
    """

    p: float = setting(0.5, above=0)
    q: float = setting(1.0, above=0, at_most=1e6)
    eta_r: float = setting(0.0, at_least=0, at_most=1e6)
    gamma: float = setting(1.0, above=0, at_most=1e6)
    beta: float = setting(0.9, above=0, below=1)
    measure: str = choice("pqi", "gini", "hoyer")

    protocol: ClassVar[tuple[str, ...]] = ("sap",)

    def check(self, key: str) -> None:
        super().check(key)
        require(self.p < self.q, f"{key}.p", self.p, f"smaller than {key}.q={self.q:g}, as 0 < p < q")

    def amount(self, weights: "Tensor", alive: "Tensor", iteration: int, protocol: "ProtocolConfig") -> "Amount":
        from ..amounts import sap_amount

        exact = protocol.sap.count_arithmetic == "exact"
        numbers = {"p": self.p, "q": self.q, "eta_r": self.eta_r, "gamma": self.gamma, "beta": self.beta}
        return sap_amount(weights, alive, **numbers, exact=exact, ceil=protocol.sap.ceil, measure=self.measure)

    @property
    def abbreviation(self) -> str:
        numbers = "-".join(f"{x:g}" for x in (self.p, self.q, self.eta_r, self.gamma))
        beta = f"-beta{self.beta:g}" if self.beta != type(self).beta else ""
        measure = f"-{self.measure}" if self.measure != "pqi" else ""
        return f"sap-{numbers}{beta}{measure}"

    @property
    def title(self) -> str:
        parts = [f"p={decimal(self.p)}", f"q={decimal(self.q)}"]
        greek = (("eta_r", r"$\eta_r$", 0.0), ("gamma", r"$\gamma$", 1.0), ("beta", r"$\beta$", 0.9))
        parts += [
            f"{sign}={decimal(getattr(self, name))}" for name, sign, usual in greek if getattr(self, name) != usual
        ]
        of = {"pqi": "", "gini": " by Gini", "hoyer": " by Hoyer"}[self.measure]
        return f"SAP{of} ({', '.join(parts)})"
