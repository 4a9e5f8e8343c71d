"""More measures of sparsity, of those that Hurley and Rickard compare (2009), and the axioms that each satisfies.

All are of one group, scaled or signed so that more is sparser. The six axioms, for nonnegative weights of which not all
are equal:

| axiom | what it asks |
|---|---|
| `robin_hood` (D1) | giving from a larger weight to a smaller one, not past equality, lowers the measure |
| `scaling` (D2) | multiplying all weights by a number changes nothing |
| `rising_tide` (D3) | adding the same to all weights lowers it |
| `cloning` (D4) | the weights twice over have the same measure |
| `bill_gates` (P1) | a weight that grows, once it is large enough, raises it |
| `babies` (P2) | a zero more raises it |

Of these, the Gini index and the PQ Index with p <= 1 <= q alone satisfy all six.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from ..sparsity.gini import gini_index
from ..sparsity.hoyer import hoyer_index
from ..sparsity.pqi import pq_index
from ..sparsity.rows import as_rows


def l0_epsilon(w: Tensor, epsilon: float = 1e-2) -> Tensor:
    """Share of weights with |w| <= epsilon.

    >>> l0_epsilon(torch.tensor([0.0, 0.005, 1, 2])).item()
    0.5

    Raises:
        UserError: a negative epsilon; weights that are not real numbers, or none.
    """
    if not epsilon >= 0:
        raise UserError(f"epsilon={epsilon} does not fit: choose epsilon >= 0")
    return (_magnitudes(w) <= epsilon).double().mean()


def l2_l1(w: Tensor) -> Tensor:
    """||w||_2 / ||w||_1, in [1 / sqrt(d), 1].

    >>> round(l2_l1(torch.tensor([3.0, 4])).item(), 6)
    0.714286
    """
    x = _magnitudes(w)
    return x.square().sum().sqrt().div(x.sum())


def kurtosis(w: Tensor) -> Tensor:
    """kappa_4 = sum w^4 / (sum w^2)^2, in [1 / d, 1].

    >>> kurtosis(torch.tensor([1.0, 1, 1, 1])).item()
    0.25
    """
    energy = _magnitudes(w).square()
    return energy.square().sum() / energy.sum().square()


def negentropy(w: Tensor) -> Tensor:
    """1 - H / log d with H the Shannon entropy of the shares |w| / ||w||_1, in [0, 1]; 0 for one weight.

    >>> negentropy(torch.tensor([0.0, 0, 0, 2])).item()
    1.0
    """
    x = _magnitudes(w)
    if x.numel() == 1:
        return torch.zeros((), dtype=torch.float64)
    share = x / x.sum()
    return 1 + share.xlogy(share).sum().div(math.log(x.numel()))


def negative_log(w: Tensor) -> Tensor:
    """- mean log(1 + w^2), at most 0.

    >>> negative_log(torch.tensor([0.0, 0])).item()
    0.0
    """
    return -torch.log1p(_magnitudes(w).square()).mean() + 0.0


def negative_tanh(w: Tensor) -> Tensor:
    """- mean tanh |w|, in [-1, 0].

    >>> negative_tanh(torch.tensor([0.0, 1e9])).item()
    -0.5
    """
    return -_magnitudes(w).tanh().mean()


def _magnitudes(w: Tensor) -> Tensor:
    """|w| [d] in float64 of one group that has weights."""
    if w.numel() == 0:
        raise UserError(f"w has shape {list(w.shape)}: there are no weights to measure; give one at least")
    return as_rows(w, None, None)[0].double()


@dataclass(frozen=True)
class Measure:
    """A measure and the axioms it satisfies."""

    of: Callable[[Tensor], Tensor]
    axioms: frozenset[str]


AXIOMS = ("robin_hood", "scaling", "rising_tide", "cloning", "bill_gates", "babies")


def _measure(of: Callable[[Tensor], Tensor], axioms: str) -> Measure:
    return Measure(of, frozenset(axioms.split()))


MEASURES = {
    "pqi": _measure(lambda w: pq_index(w, 0.5, 1.0), " ".join(AXIOMS)),
    "gini": _measure(gini_index, " ".join(AXIOMS)),
    "hoyer": _measure(hoyer_index, "robin_hood scaling rising_tide bill_gates babies"),
    "negentropy": _measure(negentropy, "robin_hood scaling rising_tide bill_gates babies"),
    "l2_l1": _measure(l2_l1, "robin_hood scaling rising_tide bill_gates"),
    "kurtosis": _measure(kurtosis, "scaling rising_tide bill_gates"),
    "l0_epsilon": _measure(l0_epsilon, "cloning babies"),
    "negative_log": _measure(negative_log, "rising_tide cloning babies"),
    "negative_tanh": _measure(negative_tanh, "robin_hood rising_tide cloning babies"),
}
"""Measures by name. Tests try each axiom on random weights, and break on an example each that is not stated."""
