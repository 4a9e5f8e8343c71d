"""What a pruning method is: how many weights of each group it prunes, by which score, decided on which network."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..config.part import Part, choice, cut_name, part, safe_name, setting
from .rewinding import Rewind, ToEpoch
from .scores import Magnitude, Score

if TYPE_CHECKING:
    from torch import Tensor

    from ..config.protocol import ProtocolConfig
    from .amounts import Amount
    from .scopes import Grouping

LONGEST = 120
"""Letters of a method's short name."""


@dataclass(frozen=True)
class Method(Part):
    """A pruning method; a subclass is a method of its own, and its fields are its hyper-parameters.

    scope: the groups that are pruned each on their own; iterations: the paper's T, the number of prunings; score: what
    goes first; rewind: what is trained again; exclude: patterns of parameter names that are not pruned (PROTOCOL A14).
    """

    scope: str = choice("neuron", "layer", "global", default="global")
    iterations: int = setting(30, at_least=0, at_most=100_000)
    score: Any = part(Score, Magnitude())
    rewind: Any = part(Rewind, ToEpoch())
    exclude: list[str] = setting([])

    decided_on: ClassVar[Literal["iteration", "dense", "initialisation"]] = "iteration"
    """Whose weights decide the masks: each iteration's own training, the dense one of iteration 0, or none."""

    protocol: ClassVar[tuple[str, ...]] = ()
    """Sections of the protocol that the method's amounts and groups depend on."""

    def amount(self, weights: "Tensor", alive: "Tensor", iteration: int, protocol: "ProtocolConfig") -> "Amount":
        """How many of each group to prune: of rows `weights` [groups, members], of which `alive` (bool) remain.

        `iteration` counts from 0: the masks of iteration + 1 are decided.
        """
        raise NotImplementedError(f"{type(self).__name__} has to say how many weights it prunes: define amount()")

    def grouping(self, protocol: "ProtocolConfig") -> "Grouping":
        """How the prunable tensors are cut into groups."""
        from .scopes import GROUPINGS

        return GROUPINGS[self.scope]

    @property
    def prunings(self) -> int:
        """T; after each pruning the network is trained again."""
        return self.iterations

    @property
    def abbreviation(self) -> str:
        """The method and its hyper-parameters in short; with what varies it, `short`."""
        return super().short

    @property
    def title(self) -> str:
        """The method and its hyper-parameters as in a legend; with what varies it, `label`."""
        return f"{self.kind().replace('_', ' ').capitalize()}{_bracketed(self.changes())}"

    @property
    def short(self) -> str:
        """Short name for folders and tables, such as `sap-0.5-1-0-1` (PROTOCOL 5) or `lt-0.2-fine_tune`."""
        without = [f"without_{'+'.join(self.exclude)}"] if self.exclude else []
        words = [self.abbreviation, *(part.short for part in self._variations()), *without]
        return cut_name(safe_name("-".join(words)), LONGEST)

    @property
    def label(self) -> str:
        """Name for a legend, such as `SAP (p=0.5, q=1.0)` or `Lottery Ticket (P=0.2), fine-tuned`."""
        without = [f"without {', '.join(self.exclude)}"] if self.exclude else []
        return ", ".join([self.title, *(part.label for part in self._variations()), *without])

    def changes(self) -> list[str]:
        common = {field.name for field in dataclasses.fields(Method)}
        return [text for name, text in self.changed().items() if name not in common]

    def _variations(self) -> list[Part]:
        """Score and rewinding, where they are not the class's own."""
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        return [value for name in ("score", "rewind") if (value := getattr(self, name)) != defaults[name]]


def _bracketed(words: list[str]) -> str:
    return f" ({', '.join(words)})" if words else ""


def decimal(value: float) -> str:
    """A number as the paper's legends write it, with at least one decimal.

    >>> decimal(1), decimal(0.001)
    ('1.0', '0.001')
    """
    text = f"{value:g}"
    return text if "." in text or "e" in text else text + ".0"
