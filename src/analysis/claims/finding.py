"""What the records say about a claim: effects, how far resampled seeds could move them, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from src.records.run import FloatArray
from src.records.study import Setting, Study

RESAMPLES = 2000
LEVEL = 0.95
MIN_SEEDS = 3
"""Below this the spread over seeds says next to nothing: two seeds' interval is only their range."""


class Verdict(StrEnum):
    holds = "holds"
    fails = "fails"
    inconclusive = "inconclusive"
    not_enough_seeds = "not enough seeds"

    @property
    def decided(self) -> bool:
        return self in (Verdict.holds, Verdict.fails)


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


def finding(
    claim: str, study: Study, scope: str, subject: str, effects: Sequence[Effect], seeds: Sequence[int], evidence: str,
    open_questions: Sequence[str] = (),
) -> Finding:  # fmt: skip
    """The finding that the effects lead to; `open_questions` as for `judge`."""
    verdict, why = judge(effects, len(seeds), open_questions)
    where = (claim, study.name, study.setting, scope, subject)
    return Finding(*where, verdict, tuple(effects), tuple(seeds), evidence, why)


def judge(effects: Sequence[Effect], seeds: int, open_questions: Sequence[str] = ()) -> tuple[Verdict, str]:
    """Holds where every interval lies above its floor, fails where one lies below; the reason otherwise.

    `open_questions` are parts of the claim that these records cannot answer: with one, the claim cannot hold.
    """
    if seeds < MIN_SEEDS:
        points = all(effect.mean > effect.floor for effect in effects) and not open_questions
        hint = f"; so far it would {'hold' if points else 'not hold'}" if seeds and effects else ""
        few = f"{seeds} seed{'s' * (seeds != 1)}, {MIN_SEEDS} needed{hint}"
        return Verdict.not_enough_seeds, "; ".join([few, *open_questions])
    if against := [effect for effect in effects if effect.high < effect.floor]:
        return Verdict.fails, "; ".join(f"not so: {effect}" for effect in against)
    undecided = [f"undecided: {effect}" for effect in effects if effect.low <= effect.floor]
    if undecided or open_questions or not effects:
        return Verdict.inconclusive, "; ".join([*undecided, *open_questions])
    return Verdict.holds, ""


def resampled_means(per_seed: FloatArray) -> FloatArray:
    """Means over seeds drawn with replacement: [n, ...] -> [RESAMPLES, ...]; the same draws every time."""
    count = len(per_seed)
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=RESAMPLES) / count
    return np.tensordot(drawn, per_seed, axes=1)


def interval(per_seed: FloatArray) -> FloatArray:
    """Percentile bootstrap interval of the mean: [n, ...] -> [2, ...], lower and upper end at LEVEL.

    With three seeds it is their range. It takes seeds as exchangeable and is too short for few of them: read it as a
    check of whether seeds agree, not as a probability.
    """
    tail = (1 - LEVEL) / 2
    return np.asarray(np.quantile(resampled_means(per_seed), [tail, 1 - tail], axis=0))


def leave_one_out(per_seed: FloatArray) -> FloatArray:
    """For each seed the mean of the others, [n, ...]; a single seed stands for itself."""
    count = len(per_seed)
    return per_seed if count == 1 else np.asarray((per_seed.sum(axis=0) - per_seed) / (count - 1))
