"""Weights told apart by magnitude: every measure of a tensor of any size from one pass over it, block by block.

A bin is the first 18 bits of |w| as float32: all of the exponent and 10 bits of the mantissa. Weights of one bin differ
by less than 1/1024, and all count as their mean. That is exact where the weights of no bin differ, as in bfloat16 and
float16, and else right to about 1e-7 for the PQ Index and Hoyer's measure, and to 1e-6 for the Gini index.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError
from ..sparsity.gini import OFFSET
from ..sparsity.measures import PowerSums, pqi_grid
from ..sparsity.pqi import check_exponents, index_of_log_means

BLOCK = 2**18
_REST = 13
"""Bits of a magnitude that are not of its bin."""
_BINS = 2 ** (31 - _REST)
_INFINITE = 0x7F800000 >> _REST
_ONE = _REST + BLOCK.bit_length() - 1
"""A count of 1 is 2 to this: more than all rests of a block together."""

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Magnitudes:
    """One group of weights: in each of k occupied bins, ascending, `counts` weights of mean `values`; and `zeros`."""

    bins: Counts
    counts: Counts
    rests: Counts  # sums of the magnitudes' last bits
    zeros: int

    @cached_property
    def d(self) -> int:
        """Number of weights, zeros among them."""
        return int(self.counts.sum()) + self.zeros

    @cached_property
    def values(self) -> Tensor:
        """Mean magnitude [k] of each bin, float64."""
        low, next_ = ((self.bins << _REST) + step for step in (0, 1))
        start, after = (bits.astype(np.uint32).view(np.float32).astype(np.float64) for bits in (low, next_))
        return torch.from_numpy(start + (after - start) * (self.rests / self.counts))

    def pqi(self, p: float, q: float) -> float:
        """I_{p,q} (PROTOCOL 1.3); NaN where all weights are zero, 0 where there are none.

        Raises:
            UserError: p and q that are not 0 < p <= q.
        """
        check_exponents(p, q)
        log_p, log_q = (self._log_power_mean(s) for s in (p, q))
        return float(index_of_log_means(log_p, log_q, torch.tensor(self.d)))

    def _log_power_mean(self, s: float) -> Tensor:
        """log of the mean^(1/s) of |w / peak|^s; log1p and expm1 keep the digits of means near 1, where s is small."""
        ratio, counts = self._scaled
        exponents = s * ratio.log()
        mean = (counts * exponents.exp()).sum() / self.d
        excess = ((counts * exponents.expm1()).sum() - self.zeros) / self.d
        return torch.where(mean < 0.5, mean.log(), excess.log1p()) / s

    def grid(self) -> Tensor:
        """I_{p,q} [10, 11] for p = 0.1..1 and q = 1..2."""
        ratio, counts = self._scaled
        sums = torch.stack([(counts * ratio ** (k / 10)).sum() for k in range(1, 21)])
        one = torch.ones(1, dtype=torch.float64)
        return pqi_grid(PowerSums(sums[None], one, one * self.d))[0]

    def gini(self) -> float:
        """The Gini index, as `gini_index` has it; NaN where there are no weights."""
        sums, d = self.values.numpy() * self.counts, self.d
        ranks = 2 * np.cumsum(self.counts) - self.counts + (2 * self.zeros - d)
        return float((ranks * sums).sum() / (d * (sums.sum() + d * OFFSET))) if d else np.nan

    def hoyer(self) -> float:
        """Hoyer's measure; NaN where all weights are zero, 0 for one weight and for none."""
        ratio, counts = self._scaled
        if self.d <= 1:
            return 0.0
        norms = (counts * ratio).sum() / (counts * ratio.square()).sum().sqrt()
        return float(((self.d**0.5 - norms) / (self.d**0.5 - 1)).clamp(0, 1))

    @cached_property
    def _scaled(self) -> tuple[Tensor, Tensor]:
        """Magnitudes as shares of the largest, and their counts."""
        values = self.values
        return values / values[-1:], torch.from_numpy(self.counts).double()


def magnitudes(blocks: Iterable[Tensor], name: str = "the tensor") -> Magnitudes:
    """The magnitudes of real floating-point tensors, of which one block is in memory at a time.

    Raises:
        UserError: NaN, infinity, a number beyond float32; complex, sparse or absent numbers; `name` is told.
    """
    size, workspace = 0, _workspace()
    for block in blocks:
        check_dense(block, name)
        size += block.numel()
        for part in block.detach().reshape(-1).split(BLOCK):
            workspace.add(part)
    bins, counts, rests = workspace.taken()
    if len(bins) and bins[-1] >= _INFINITE:
        raise UserError(f"{name} holds NaN or infinity (or more than float32 can): mend it, or leave it out")
    return Magnitudes(bins, counts, rests, size - int(counts.sum()))


def check_dense(block: Tensor, name: str) -> None:
    """Raise UserError unless the tensor holds real numbers, each in its place."""
    if block.is_complex():
        raise UserError(f"{name} is complex, and cannot be measured or pruned: leave it out, or take its abs()")
    if block.dtype == torch.float4_e2m1fn_x2:
        raise UserError(f"{name} is of {block.dtype}, whose numbers PyTorch does not read: leave it out")
    if block.is_meta:
        raise UserError(f"{name} is on the meta device, which holds no numbers: load the weights first")
    if block.layout != torch.strided:
        raise UserError(f"{name} has the layout {block.layout}: take its to_dense()")


def pooled(groups: Iterable[Magnitudes]) -> Magnitudes:
    """The magnitudes of the one group that holds the weights of all groups."""
    counts, rests, zeros = np.zeros(_BINS, np.int64), np.zeros(_BINS, np.int64), 0
    for group in groups:
        counts[group.bins] += group.counts
        rests[group.bins] += group.rests
        zeros += group.zeros
    bins = np.flatnonzero(counts)
    return Magnitudes(bins, counts[bins], rests[bins], zeros)


class _Workspace:
    """Memory that is written over for each part: fresh memory would cost three times the arithmetic in page faults."""

    def __init__(self) -> None:
        self._bits, self._low = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
        self._bins, self._weights = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.float64)
        self._counts, self._rests = np.zeros(_BINS, np.int64), np.zeros(_BINS, np.int64)
        self._first, self._end = _BINS, 0

    def add(self, part: Tensor) -> None:
        """Count the weights of a part, but for zeros.

        What float32 would take for zero counts as its smallest number.
        """
        single = part.to("cpu", torch.float32)
        if part.dtype == torch.float64:
            single = torch.where((single == 0) & (part != 0), 1e-45, single)
        bits = self._bits[: len(part)]
        np.bitwise_and(single.numpy().view(np.uint32), np.uint32(0x7FFFFFFF), out=bits)
        smallest = int(bits.min(initial=2**31))
        if smallest == 0:
            bits = bits[bits != 0]
            smallest = int(bits.min(initial=2**31))
        if len(bits) == 0:
            return
        rests, bins, weights = (memory[: len(bits)] for memory in (self._low, self._bins, self._weights))
        first = smallest >> _REST
        np.bitwise_and(bits, np.uint32(2**_REST - 1), out=rests)
        np.right_shift(bits, np.uint32(_REST), out=bits)
        np.subtract(bits, np.uint32(first), out=bits)
        np.copyto(bins, bits)
        np.copyto(weights, rests)
        np.add(weights, 2.0**_ONE, out=weights)
        both = np.bincount(bins, weights).astype(np.int64)  # in each bin its count times 2^_ONE, plus the sum of rests
        here = slice(first, first + len(both))
        self._counts[here] += both >> _ONE
        self._rests[here] += both & (2**_ONE - 1)
        self._first, self._end = min(self._first, first), max(self._end, here.stop)

    def taken(self) -> tuple[Counts, Counts, Counts]:
        """Occupied bins, ascending, their counts, and the sums of their rests; it begins anew."""
        span = slice(self._first, self._end)
        bins = self._first + np.flatnonzero(self._counts[span])
        counts, rests = self._counts[bins], self._rests[bins]
        self._counts[span] = self._rests[span] = 0
        self._first, self._end = _BINS, 0
        return bins, counts, rests


_memory = threading.local()


def _workspace() -> _Workspace:
    """This thread's, without what a pass that was broken off has left in it."""
    if not hasattr(_memory, "workspace"):
        _memory.workspace = _Workspace()
    _memory.workspace.taken()
    workspace: _Workspace = _memory.workspace
    return workspace
