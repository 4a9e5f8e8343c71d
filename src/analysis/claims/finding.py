"""What the records say about a claim: effects, how sure the seeds make them, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from src.records.method import FOUR_METHODS, Method
from src.records.run import FloatArray
from src.records.study import Setting, Study

LEVEL = 0.95
MIN_SEEDS = 3
"""Below this the spread over seeds says next to nothing."""


class Verdict(StrEnum):
    """What decides, and what keeps a test from a decision: seeds that disagree, too few of them, too few prunings."""

    holds = "holds"
    fails = "fails"
    inconclusive = "inconclusive"
    not_enough_seeds = "not enough seeds"
    not_reached = "limit not reached"

    @property
    def decided(self) -> bool:
        return self in (Verdict.holds, Verdict.fails)


@dataclass(frozen=True)
class Effect:
    """A mean over seeds and its 95 % interval; the claim wants it above `floor`. All in `unit`.

    The interval is told of MIN_SEEDS seeds or more. at_most: a mean that is too large if anything; with it above the
    floor the claim does not fail.
    """

    name: str
    unit: str
    mean: float
    low: float
    high: float
    floor: float = 0.0
    seeds: int = MIN_SEEDS
    at_most: float = -np.inf

    @classmethod
    def of(cls, name: str, unit: str, per_seed: FloatArray, floor: float = 0.0) -> "Effect":
        low, high = interval(per_seed)
        return cls(name, unit, float(per_seed.mean()), low, high, floor, len(per_seed))

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        spread = f" [{self.low:+.3g}, {self.high:+.3g}]" if self.seeds >= MIN_SEEDS else ""
        best = f", at the seeds' own turns {self.at_most:+.3g}" if self.mean <= self.floor < self.at_most else ""
        return f"{self.name}: {self.mean:+.3g}{unit}{spread}{best}, wanted above {self.floor:g}"

    @property
    def against(self) -> bool:
        """Whether it speaks against the claim."""
        return max(self.high, self.at_most) < self.floor


@dataclass(frozen=True)
class Finding:
    """A claim's verdict for one subject (a method, a sweep, a pair) in a scope of a study.

    `evidence` is what was measured, in words; `reason` says why a verdict is out of reach, or what decided against it.
    of_paper: whether the subject is the paper's; of other methods, controls among them, it claims nothing.
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
    of_paper: bool = True


def finding(
    claim: str, study: Study, scope: str, subject: str | Method, effects: Sequence[Effect], seeds: Sequence[int],
    evidence: str, open_questions: Sequence[str] = (), not_reached: str = "",
) -> Finding:  # fmt: skip
    """The finding that the effects lead to, of a method or what the text says; the rest as for `judge`."""
    verdict, why = judge(effects, len(seeds), open_questions, not_reached)
    of_paper = isinstance(subject, str) or subject in FOUR_METHODS
    where = (claim, study.name, study.setting, scope, subject if isinstance(subject, str) else subject.text)
    return Finding(*where, verdict, tuple(effects), tuple(seeds), evidence, why, of_paper)


def judge(
    effects: Sequence[Effect], seeds: int, open_questions: Sequence[str] = (), not_reached: str = ""
) -> tuple[Verdict, str]:
    """Holds where every interval lies above its floor, fails where one lies below; the reason otherwise.

    `open_questions` are parts of the claim that these records cannot answer: with one, the claim cannot hold.
    `not_reached` says that the trajectories end too early for a part of it: no number of seeds would decide that.
    """
    so_far = all(effect.mean > effect.floor for effect in effects)
    if not_reached and so_far and not any(effect.low <= effect.floor for effect in effects):
        return Verdict.not_reached, "; ".join([not_reached, *open_questions])
    open_questions = [*open_questions, *[not_reached] * bool(not_reached)]
    if seeds < MIN_SEEDS:
        points = so_far and not open_questions
        hint = f"; so far it would {'hold' if points else 'not hold'}" if seeds and effects else ""
        few = f"{seeds} seed{'s' * (seeds != 1)}, {MIN_SEEDS} needed{hint}"
        return Verdict.not_enough_seeds, "; ".join([few, *open_questions])
    if against := [effect for effect in effects if effect.against]:
        return Verdict.fails, "; ".join(f"not so: {effect}" for effect in against)
    undecided = [f"undecided: {effect}" for effect in effects if effect.low <= effect.floor]
    if undecided or open_questions or not effects:
        return Verdict.inconclusive, "; ".join([*undecided, *open_questions])
    return Verdict.holds, ""


def interval(per_seed: FloatArray) -> tuple[float, float]:
    """Student's interval of the mean of n seeds at LEVEL: the seeds as draws from a normal distribution. [n].

    A single seed is both ends.
    """
    from scipy.special import stdtrit

    mean, count = float(per_seed.mean()), len(per_seed)
    if count == 1:
        return mean, mean
    half = float(stdtrit(count - 1, (1 + LEVEL) / 2) * per_seed.std(ddof=1) / np.sqrt(count))
    return mean - half, mean + half


def leave_one_out(per_seed: FloatArray) -> FloatArray:
    """For each seed the mean of the others, [n, ...]; a single seed stands for itself."""
    count = len(per_seed)
    return per_seed if count == 1 else np.asarray((per_seed.sum(axis=0) - per_seed) / (count - 1))
