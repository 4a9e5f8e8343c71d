"""The paper's statements as functions from stored records to a verdict (PROTOCOL 8.3): all of them.

What the paper says, how it is tested, and the function that tests it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from src.analysis.claims import amounts, phases, tradeoff
from src.analysis.claims.finding import Finding
from src.files import read_yaml
from src.records.method import ABLATIONS
from src.records.study import Study

TESTS: dict[str, Callable[[Study], Iterator[Finding]]] = {
    **{name: partial(phases.three_phases, name, column) for name, column in phases.COLUMNS.items()},
    "gini_alike": phases.gini_alike,
    "adapts": amounts.adapts,
    **{f"monotone_{parameter}": partial(amounts.monotone, parameter) for parameter in ABLATIONS},
    "first_layer": amounts.first_layer_kept_most,
    **{f"scope_{scope}": partial(tradeoff.compared, scope) for scope in tradeoff.EXPECTED},
}
NUMBERS = {
    "phase": phases.SMALLEST, "alike": phases.ALIKE, "enough": phases.ENOUGH, "share": amounts.SMALLEST_SHARE,
    "few": tradeoff.FEW, "decades": amounts.SMALLEST_DECADES,
}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """The paper's statement, the test in words, where the paper says it: as `claims.yaml` has them; and the test."""

    name: str
    statement: str
    test: str
    source: str
    find: Callable[[Study], Iterator[Finding]]


CLAIMS = tuple(
    Claim(name, find=TESTS[name], **{key: text.format(**NUMBERS) for key, text in texts.items()})
    for name, texts in read_yaml(Path(__file__).with_name("claims.yaml")).items()
)


def examine(studies: Iterable[Study]) -> list[Finding]:
    """Every claim for every study that has runs for it, claim by claim."""
    grouped = tuple(studies)
    return [finding for claim in CLAIMS for study in grouped for finding in claim.find(study)]
