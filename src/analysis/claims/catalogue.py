"""All claims: what the paper says, how it is tested, and the function that tests it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from src.analysis.claims import amounts, phases, scopes
from src.analysis.claims.finding import Finding
from src.records.study import Study


@dataclass(frozen=True)
class Claim:
    """The paper's statement, the test in words, where the paper says it, and the test."""

    name: str
    statement: str
    test: str
    source: str
    find: Callable[[Study], Iterator[Finding]]


def _sweep(parameter: str, held: str, figure: str, symbol: str) -> Claim:
    return Claim(
        f"monotone_{parameter}",
        f"A larger {symbol} prunes more ({held}).",
        "Weights left, in decades, after one pruning and on average along pruning: no value of the sweep leaves more "
        f"than its smaller neighbour by {amounts.SMALLEST_DECADES:g} decades, and the largest leaves fewer than the "
        "smallest by as much.",
        figure,
        partial(amounts.monotone, parameter),
    )


CLAIMS = (
    Claim(
        "pqi_phases",
        "The PQ Index falls first (regularisation), then rises (limit of compression), then falls again (collapse).",
        f"Fall to the trough, rise to the peak and fall after it are each above {phases.SMALLEST:g}, measured in every "
        "seed at the turns of the other seeds' mean. Without a collapse the last phase stays open.",
        "Sec. 3, Fig. 2",
        phases.pqi_phases,
    ),
    Claim(
        "gini_phases", "The Gini index has the same three phases.", "As for the PQ Index.", "Fig. 2", phases.gini_phases
    ),
    Claim(
        "gini_alike",
        "PQ Index and Gini index behave alike along pruning.",
        f"Rank correlation over the iterations above {phases.ALIKE:g}.",
        "Fig. 2",
        phases.gini_alike,
    ),
    Claim(
        "adapts",
        "SAP adapts how much it prunes to the network.",
        f"The share pruned varies by more than {amounts.SMALLEST_SHARE:g} percentage point over the iterations.",
        "Sec. 4, Fig. 2",
        amounts.adapts,
    ),
    _sweep("p", "q=1", "Fig. 4a", "p"),
    _sweep("q", "p=1", "Fig. 4b", "q"),
    _sweep("eta", "p=0.5, q=1", "Fig. 5a", "η_r"),
    _sweep("gamma", "p=0.5, q=1", "Fig. 5b", "γ"),
    Claim(
        "first_layer",
        "The first layer is kept most, neuron-wise and globally.",
        "Its percent remaining is above that of every other layer, on average over the iterations.",
        "Fig. 3b",
        amounts.first_layer_kept_most,
    ),
    Claim(
        "scope_neuron",
        "Pruning neuron-wise, SAP is better than lottery ticket and one-shot.",
        "Area under accuracy against log percent remaining, over all percentages that both reach, seed by seed.",
        "Fig. 3a",
        scopes.neuron_better,
    ),
    Claim(
        "scope_global",
        "Pruning globally, SAP is worse than lottery ticket and one-shot when few weights remain.",
        f"The same area below {scopes.FEW:g} % remaining.",
        "Fig. 3a",
        scopes.global_worse,
    ),
)


def examine(studies: Iterable[Study]) -> list[Finding]:
    """Every claim for every study that has runs for it, claim by claim."""
    grouped = tuple(studies)
    return [finding for claim in CLAIMS for study in grouped for finding in claim.find(study)]
