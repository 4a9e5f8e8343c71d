"""What the measures say of a network: a line for each of its tensors, and one for all of them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from math import nan

import torch
from torch import Tensor

from ..errors import UserError
from ..pruning.amounts import sap_amount, sap_count
from ..pruning.methods.sap import Sap
from ..sparsity.bound import retained_lower_bound
from .checkpoint import NamedTensor
from .magnitudes import Magnitudes, magnitudes, pooled
from .network import called_weight

_ITERATION = re.compile(r"iteration_\d+/")
"""What names in a run's weights.safetensors begin with."""

Progress = Callable[[Sequence[NamedTensor]], Iterable[NamedTensor]]


@dataclass(frozen=True)
class Line:
    """Measures of one tensor, or of all; `bound` and `ratio` are of SAP: weights to keep, share that it would prune."""

    name: str
    shape: tuple[int, ...]
    weights: int
    zeros: int
    pqi: float
    gini: float
    hoyer: float
    bound: float
    ratio: float
    grid: Tensor | None = None  # [10, 11]: p = 0.1..1, q = 1..2


@dataclass(frozen=True)
class Table:
    """`layers`, and `total`: all weights as one group, but for bound and ratio, which are by the method's scope."""

    layers: tuple[Line, ...]
    total: Line
    method: Sap


def selected(
    tensors: Sequence[NamedTensor], include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> list[NamedTensor]:
    """The weights among the tensors: floating-point ones that match a pattern of `include` and none of `exclude`.

    Without `include`, those called `*weight`, or as in recurrent layers, of two dimensions or more: not biases and
    normalisations. Of a tied tensor any name may match.

    Raises:
        UserError: a pattern that matches nothing, nothing left, complex or empty tensors, several iterations of a run.
    """
    real = [tensor for tensor in tensors if _has_numbers(tensor)]
    names = [name for tensor in real for name in tensor.names]
    for pattern in (*include, *exclude):
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UserError(f"pattern {pattern!r} matches none of {_some(names)}")
    kept = [
        tensor
        for tensor in real
        if (_matches(tensor, include) if include else _called_weight(tensor) and len(tensor.shape) > 1)
        and not _matches(tensor, exclude)
    ]
    if not kept:
        raise UserError(f"there are no weights to measure among {_some(names)}; choose some with --include PATTERN")
    for tensor in kept:
        if tensor.dtype.is_complex or 0 in tensor.shape:
            what = "is complex" if tensor.dtype.is_complex else f"is empty, of shape {list(tensor.shape)}"
            raise UserError(f"{tensor.name} {what}, and cannot be measured; leave it out with --exclude {tensor.name}")
    if len(runs := {found[0]: None for tensor in kept if (found := _ITERATION.match(tensor.name))}) > 1:
        one = next(reversed(runs))
        raise UserError(
            f"{_some(list(runs))} are networks of their own: measure one, with --include '{one}*weight' or as "
            f"`python -m src.export RUN --iteration N` writes it"
        )
    return kept


def passed_over(tensors: Sequence[NamedTensor]) -> str:
    """A line on what may be weights and is not selected without patterns, by its name or its type; or nothing."""
    several = [tensor for tensor in tensors if _has_numbers(tensor) and len(tensor.shape) > 1]
    named = [tensor.name for tensor in several if not _called_weight(tensor)]
    typed = [tensor.name for tensor in tensors if not _has_numbers(tensor) and _called_weight(tensor)]
    told = [
        f"{_some(named)}: not called *weight; --include PATTERN takes what you name" * bool(named),
        f"{_some(typed)}: no floating-point numbers that PyTorch reads" * bool(typed),
    ]
    return "; ".join(filter(None, told))


def tabulate(
    tensors: Sequence[NamedTensor],
    method: Sap,
    *,
    grid: bool = False,
    ignore_zeros: bool = False,
    masks: Mapping[str, Tensor] | None = None,
    progress: Progress = iter,
    as_neurons: Callable[[str, Tensor], Tensor] = lambda _, tensor: tensor.reshape(*tensor.shape[:1] or (1,), -1),
) -> Table:
    """Measure tensors one by one.

    Pruned weights, which are zero, do not count: with `ignore_zeros` all that are zero, with `masks` those that the
    tensor's mask, of its name, does not keep.

    Raises:
        UserError: settings of the method out of their limits; NaN or infinity.
    """
    method.check("SAP")
    groups, lines, left = [], [], []
    for tensor in progress(tensors):
        group = magnitudes(tensor.blocks(), tensor.name)
        mask = None if masks is None else masks[tensor.name]
        pruned = group.zeros if ignore_zeros else 0 if mask is None else mask.numel() - int(mask.sum())
        line = _line(tensor.name, tensor.shape, group, pruned, method, grid)
        if method.scope == "neuron":
            weights = tensor.read()
            alive = _alive(weights, mask, ignore_zeros)
            line = _by_neuron(line, as_neurons(tensor.name, weights), as_neurons(tensor.name, alive), method)
        groups.append(group)
        lines.append(line)
        left.append(group.d - pruned)
    everything = pooled(groups)
    total = _line("all", (), everything, everything.d - sum(left), method, grid)
    if method.scope == "global":
        lines = [replace(line, bound=nan, ratio=nan) for line in lines]
    else:
        bound, ratio = _summed(lines, left)
        total = replace(total, bound=bound, ratio=ratio)
    return Table(tuple(lines), total, method)


def _line(name: str, shape: tuple[int, ...], all_: Magnitudes, pruned: int, method: Sap, with_grid: bool) -> Line:
    """`pruned`: of the zeros, those that do not count."""
    group = replace(all_, zeros=all_.zeros - pruned)
    pqi, gini, hoyer = group.pqi(method.p, method.q), group.gini(), group.hoyer()
    index = {"pqi": pqi, "gini": gini, "hoyer": hoyer}[method.measure]
    d = torch.tensor(group.d)
    bound = retained_lower_bound(index, d, method.p, method.q, method.eta_r)
    count = int(sap_count(d, bound, gamma=method.gamma, beta=method.beta))
    grid = group.grid() if with_grid else None
    return Line(name, shape, all_.d, all_.zeros, pqi, gini, hoyer, float(bound), count / max(group.d, 1), grid)


def _alive(weights: Tensor, mask: Tensor | None, ignore_zeros: bool) -> Tensor:
    if mask is not None:
        return mask.to(weights.device)
    return weights != 0 if ignore_zeros else torch.ones_like(weights, dtype=torch.bool)


def _by_neuron(line: Line, rows: Tensor, alive: Tensor, method: Sap) -> Line:
    """Bound and ratio where every row is a group of its own."""
    amount = sap_amount(
        rows.float(), alive, p=method.p, q=method.q, eta_r=method.eta_r, gamma=method.gamma, beta=method.beta,
        exact=True, measure=method.measure,
    )  # fmt: skip
    bound = nan if amount.bound is None else float(amount.bound.nansum())
    return replace(line, bound=bound, ratio=int(amount.count.sum()) / max(int(alive.sum()), 1))


def _summed(lines: Sequence[Line], left: Sequence[int]) -> tuple[float, float]:
    """Bound and ratio of all layers together, of which `left` weights count."""
    pruned = sum(round(line.ratio * size) for line, size in zip(lines, left, strict=True))
    return sum(line.bound for line in lines if line.bound == line.bound), pruned / max(sum(left), 1)


def _matches(tensor: NamedTensor, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in tensor.names for pattern in patterns)


def _called_weight(tensor: NamedTensor) -> bool:
    return any(map(called_weight, tensor.names))


def _has_numbers(tensor: NamedTensor) -> bool:
    return tensor.dtype.is_floating_point or tensor.dtype.is_complex


def _some(names: Sequence[str]) -> str:
    """The first few names."""
    return (", ".join(names[:8]) + f" and {len(names) - 8} more" * (len(names) > 8)) or "no floating-point tensors"
