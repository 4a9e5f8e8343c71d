"""Amounts: how many weights of each group to prune."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ..sparsity.bound import retained_lower_bound
from ..sparsity.gini import gini_index
from ..sparsity.hoyer import hoyer_index
from ..sparsity.pqi import pq_index

FLOAT32_MEMBERS = 2**22


@dataclass(frozen=True)
class Amount:
    """Per group: `count` [groups] int64, weights to prune; `bound` [groups], r_t where the method has one."""

    count: Tensor
    bound: Tensor | None = None


def sap_amount(
    weights: Tensor,
    alive: Tensor,
    *,
    p: float,
    q: float,
    eta_r: float = 0.0,
    gamma: float = 1.0,
    beta: float = 0.9,
    exact: bool = False,
    ceil: bool = True,
    measure: str = "pqi",
) -> Amount:
    """SAP's amounts for rows `weights` [groups, members] of which `alive` remain (Algorithm 1).

        r = ceil(d (1 + eta_r)^(-q/(q-p)) (1 - I)^(pq/(q-p))),   c = floor(d clamp(gamma (1 - r/d), 0, beta))

    The authors evaluate both in float32, where c is often one too few (PROTOCOL 1.5, A8); `exact` does not.
    `ceil=False` leaves r real, as the paper writes it (A9). An empty or all-zero group prunes nothing. `measure` puts
    the Gini index or Hoyer's measure in the place of I: controls, for which r is no bound.
    """
    d = alive.sum(dim=1)
    if measure == "pqi":
        index = pq_index(weights, p, q, mask=alive, dim=1)
        if not exact:
            index = _as_in_float32(index, weights, alive, p, q)
    else:
        index = (gini_index if measure == "gini" else hoyer_index)(weights, mask=alive, dim=1)
    dtype = torch.float64 if exact else torch.float32
    bound = retained_lower_bound(index, d, p, q, eta_r, ceil=ceil, dtype=dtype)
    return Amount(sap_count(d, bound, gamma=gamma, beta=beta), bound)


def _as_in_float32(pqi: Tensor, weights: Tensor, alive: Tensor, p: float, q: float) -> Tensor:
    """The PQ Index with the authors' rounding: norms in float32, raised back to their power (PROTOCOL 1.3).

    It is off by about 1e-6, which moves the amount of a large group by a weight or two. What float32 cannot do is left
    as it is: groups that it overflows on, and rows of millions, which a CPU adds up with errors of percents.
    """
    if weights.shape[1] > FLOAT32_MEMBERS:
        return pqi
    kept, d = torch.where(alive, weights, 0).float(), alive.sum(dim=1).float()
    with _one_thread():
        norm_p, norm_q = (torch.linalg.vector_norm(kept, s, dim=1) for s in (p, q))
    mean_p, mean_q = ((norm**s / d) ** (1 / s) for norm, s in ((norm_p, p), (norm_q, q)))
    rounded = 1 - mean_p / mean_q
    return torch.where(rounded.isfinite(), rounded.clamp(min=0).double(), pqi)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums in float32 depend on how threads share them; decisions must not depend on the number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def sap_count(d: Tensor, bound: Tensor, *, gamma: float = 1.0, beta: float = 0.9) -> Tensor:
    """c of the formula above, per group, in the arithmetic of `bound`: authors' float32, or exact in float64."""
    size = d.to(bound.dtype)
    if bound.dtype == torch.float32:
        count = size * (gamma * (1 - bound / size)).clamp(0, beta)
    else:
        count = torch.minimum(gamma * (size - bound), beta * size).clamp(min=0)
    return count.floor().nan_to_num(nan=0.0).long()


def fixed_ratio_amount(alive: Tensor, ratio: float, *, floor: bool = False) -> Amount:
    """The baselines' amounts: ratio P of the alive weights of each row.

    With n alive the interpolated quantile and the strict comparison of the authors prune ceil(P (n - 1))
    (PROTOCOL 1.7); `floor` prunes floor(P n) instead (A10). Float64 ranks: counts equal theirs up to one for
    groups above a million weights.
    """
    n = alive.sum(dim=1)
    count = [math.floor(ratio * k) if floor else max(math.ceil(ratio * (k - 1)), 0) for k in n.tolist()]
    return Amount(torch.tensor(count, dtype=torch.int64, device=n.device))
