"""The PQ Index of one group, or of many groups along a dimension."""

import math
import sys

import torch
from torch import Tensor

from ..errors import UserError
from .rows import Dim, as_rows

LOG_FLOAT32_MAX = math.log(torch.finfo(torch.float32).max)


def pq_index(
    w: Tensor, p: float, q: float, mask: Tensor | None = None, dim: Dim = None, *, legacy_overflow: bool = False
) -> Tensor:
    """I_{p,q}(w) = 1 - d^(1/q - 1/p) ||w||_p / ||w||_q over the d alive weights (PROTOCOL 1.3).

    Any 0 < p <= q; the groups are taken over `dim` (None: the whole tensor is one group). Returns float64 of
    the remaining shape, in [0, 1 - d^(1/q - 1/p)]. No alive weight gives 0, alive weights that are all zero
    give NaN, a single one and p = q give 0. `legacy_overflow` returns 0 where the p-norm exceeds float32, as
    the authors' code does.

    >>> round(pq_index(torch.tensor([4.0, 3, 2, 1]), 0.5, 1).item(), 6)
    0.055586

    Raises:
        UserError: p and q that are not 0 < p <= q < inf; weights that are NaN, infinite or not real where alive; a
            mask or `dim` that does not fit.
    """
    check_exponents(p, q)
    magnitude, d = as_rows(w, mask, dim)
    if magnitude.shape[-1] == 0:
        return torch.zeros_like(d)
    magnitude = magnitude.double()
    peak = magnitude.amax(-1, keepdim=True)
    logs = _log_ratio(magnitude, peak)
    log_mean_p = _log_power_mean(logs, d, p)
    log_mean_q = log_mean_p if p == q else _log_power_mean(logs, d, q)
    pqi = index_of_log_means(log_mean_p, log_mean_q, d)
    if legacy_overflow:
        log_norm = log_mean_p + d.log() / p + peak.squeeze(-1).log()  # log_mean_p is that of w / peak
        pqi = torch.where(log_norm > LOG_FLOAT32_MAX, 0, pqi)
    return pqi


def check_exponents(p: float, q: float, *, strict: bool = False) -> None:
    """Raise a UserError unless 0 < p <= q < inf (`strict`: p < q)."""
    if not (0 < p <= q <= sys.float_info.max) or (strict and p == q):
        raise UserError(f"p={p} and q={q} do not fit: choose 0 < p {'<' if strict else '<='} q, both finite")


def index_of_log_means(log_mean_p: Tensor, log_mean_q: Tensor, d: Tensor) -> Tensor:
    """1 - M_p / M_q from the logarithms of the power means, 0 where d is 0; rounding below 0 is cut off."""
    pqi = (0.0 - torch.expm1(log_mean_p - log_mean_q)).clamp_min(0)
    return torch.where(d == 0, 0, pqi)


def _log_ratio(magnitude: Tensor, peak: Tensor) -> Tensor:
    """log(|w| / max |w|), also where the ratio itself would underflow float64."""
    ratio = magnitude / peak
    underflow = (ratio < 1e-290) & (magnitude > 0)
    return torch.where(underflow, magnitude.log() - peak.log(), ratio.log())


def _log_power_mean(logs: Tensor, d: Tensor, s: float) -> Tensor:
    """log of (mean over the d alive of exp(s logs))^(1/s); logs of masked weights are -inf."""
    exponent = logs * s
    zero = logs == -torch.inf
    alive_zeros = zero.sum(-1) - (logs.shape[-1] - d)
    # expm1 keeps the digits of means near 1 (small s), which 1/s would blow up; exp those of means near 0.
    excess = (torch.expm1(exponent).masked_fill_(zero, 0).sum(-1) - alive_zeros) / d
    mean = torch.exp(exponent).sum(-1) / d
    return torch.where(mean < 0.5, mean.log(), torch.log1p(excess)) / s
