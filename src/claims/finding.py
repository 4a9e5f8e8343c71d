"""What the records say about a claim: effects with their uncertainty, and the verdict that follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from src.claims.bootstrap import interval
from src.figures.records import Setting
from src.figures.records.run import FloatArray

MIN_SEEDS = 3
"""Below this the spread over seeds says next to nothing: two seeds' interval is only their range."""


class Verdict(StrEnum):
    """What the records say of a claim."""

    holds = "holds"
    fails = "fails"
    not_enough_data = "not enough data"


@dataclass(frozen=True)
class Effect:
    """A mean over seeds and its 95 % bootstrap interval; the claim wants it above `floor`. All in `unit`."""

    name: str
    unit: str
    mean: float
    low: float
    high: float
    floor: float = 0.0

    @classmethod
    def of(cls, name: str, unit: str, per_seed: FloatArray, floor: float = 0.0) -> "Effect":
        """From one value per seed, [n]."""
        low, high = interval(per_seed)
        return cls(name, unit, float(per_seed.mean()), float(low), float(high), floor)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.name}: {self.mean:+.3g} [{self.low:+.3g}, {self.high:+.3g}]{unit}, wanted above {self.floor:g}"


@dataclass(frozen=True)
class Finding:
    """A claim's verdict for one subject (a method, a sweep, a pair) in a scope of a study.

    `evidence` is what was measured, in words; `reason` says why a verdict is out of reach, or what decided against it.
    """

    claim: str
    study: str
    setting: Setting
    scope: str
    subject: str
    verdict: Verdict
    effects: tuple[Effect, ...]
    seeds: tuple[int, ...]
    evidence: str
    reason: str = ""


def judge(effects: Sequence[Effect], seeds: int, open_questions: Sequence[str] = ()) -> tuple[Verdict, str]:
    """Holds where every interval lies above its floor, fails where one lies below; the reason otherwise.

    `open_questions` are parts of the claim that these records cannot answer: with one, the claim cannot hold.
    """
    if seeds < MIN_SEEDS or not effects:
        points = all(effect.mean > effect.floor for effect in effects) and not open_questions
        hint = f"; so far it would {'hold' if points else 'not hold'}" if seeds and effects else ""
        lacking = [f"{seeds} seed{'s' * (seeds != 1)}, {MIN_SEEDS} needed{hint}"] if seeds < MIN_SEEDS else []
        return Verdict.not_enough_data, "; ".join([*lacking, *open_questions])
    if against := [effect for effect in effects if effect.high < effect.floor]:
        return Verdict.fails, "; ".join(f"not so: {effect}" for effect in against)
    undecided = [f"undecided: {effect}" for effect in effects if effect.low <= effect.floor]
    if undecided or open_questions:
        return Verdict.not_enough_data, "; ".join([*undecided, *open_questions])
    return Verdict.holds, ""
