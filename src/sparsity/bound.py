"""The lower bound on the number of weights to retain."""

import torch
from torch import Tensor

from ..errors import UserError
from .pqi import check_exponents


def retained_lower_bound(
    pqi: Tensor | float,
    d: Tensor | int,
    p: float,
    q: float,
    eta_r: float = 0.0,
    *,
    ceil: bool = True,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """r = d (1 + eta_r)^(-q/(q-p)) (1 - I_{p,q})^(pq/(q-p)) (Theorem 2), rounded up unless `ceil` is False.

    `pqi` and the alive counts `d` broadcast; the result has type `dtype`. With float32, every operation is
    done in float32, as in the authors' code: there, counts above 2^24 are rounded to 24 bits. NaN stays NaN.

    >>> retained_lower_bound(0.155, 27, p=0.5, q=1.0).item()
    23.0

    Raises:
        UserError: p and q that are not 0 < p < q < inf; a negative eta_r; an index outside [0, 1]; a negative count.
    """
    check_exponents(p, q, strict=True)
    if not eta_r >= 0:
        raise UserError(f"eta_r={eta_r} does not fit: choose eta_r >= 0")
    index = torch.as_tensor(pqi, dtype=dtype)
    count = torch.as_tensor(d, dtype=dtype, device=index.device)
    if bool((index < 0).any() or (index > 1).any() or (count < 0).any()):
        raise UserError(f"pqi={pqi} and d={d} do not fit: choose indices in [0, 1], or NaN, and counts of 0 or more")
    r: Tensor = count * (1 + eta_r) ** (-q / (q - p)) * (1 - index) ** (p * q / (q - p))
    return r.ceil() if ceil else r
