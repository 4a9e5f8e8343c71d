"""A pruning method as records name it, of this repository or of anyone else's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OF_THE_RUN = ("_target_", "name", "scope", "iterations")
"""What stands in the section `prune` and is not the method's."""
GREEK = {"$\\eta_r$": "η_r", "$\\gamma$": "γ", "$\\beta$": "β"}


@dataclass(frozen=True)
class Method:
    """Methods with the same `short` are the same; `label` is for legends, `settings` are the class's fields."""

    kind: str
    short: str
    label: str = field(compare=False)
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of_records(cls, method: Mapping[str, Any], prune: Mapping[str, Any]) -> "Method":
        """From `method` of run.json and the section `prune` of config.yaml."""
        settings = {key: value for key, value in prune.items() if key not in OF_THE_RUN}
        return cls(str(method["kind"]), str(method["short"]), str(method["label"]), settings)

    @property
    def text(self) -> str:
        """The label without mathematical markup."""
        return plain(self.label)


def plain(label: str) -> str:
    """A legend's label in plain Unicode.

    >>> plain("SAP ($\\\\eta_r$=0.1)")
    'SAP (η_r=0.1)'
    """
    for markup, letter in GREEK.items():
        label = label.replace(markup, letter)
    return label
