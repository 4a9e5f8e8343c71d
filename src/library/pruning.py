"""One step of a pruning method, and the table of measures, on a network in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from ..config.protocol import FixedRatioProtocol, ProtocolConfig, SapProtocol
from ..errors import UserError
from ..pruning.method import Method
from ..pruning.methods.sap import Sap
from ..pruning.prune import prune
from ..pruning.scores import Score
from .checkpoint import LoadedTensor
from .magnitudes import check_dense
from .masks import Masks, zero_pruned
from .network import Keep, Weight, everything, for_scoring, no_embedding, weights_of
from .table import Table, tabulate

EXACT = ProtocolConfig(
    sap=SapProtocol(count_arithmetic="exact"), fixed_ratio=FixedRatioProtocol(neuron_group="flattened", count="floor")
)
"""Counts in exact arithmetic and whole filters as neurons; `ProtocolConfig()` prunes as the authors' code does."""


def measure(
    network: nn.Module,
    method: Sap = Sap(scope="layer"),  # noqa: B008
    masks: Mapping[str, Tensor] | None = None,
    *,
    keep: Keep | None = None,
    grid: bool = False,
) -> Table:
    """PQ Index, Gini, Hoyer, bound and SAP's ratio of each layer and of all of them, as `python -m src.measure`.

    `method` holds p, q, and what else decides bound and ratio; what it excludes is left out. Weights that `masks`
    do not keep are pruned and do not count. `keep` chooses among the weights that have masks, or else among all but
    embeddings and normalisations.

    >>> table = measure(nn.Linear(3, 2))
    >>> table.total.weights
    6
    """
    if masks is None:
        weights = weights_of(network, keep or no_embedding)
    else:
        rule = keep or everything
        weights = {name: w for name, w in Masks(masks).weights(network).items() if rule(name, w.owner)}
    tensors = [LoadedTensor(name, _masked(weights[name], masks)) for name in included(weights, method)]
    return tabulate(
        tensors,
        method,
        grid=grid,
        masks=masks,
        as_neurons=lambda name, tensor: weights[name].by_neuron(tensor).flatten(1),
    )


def _masked(weight: Weight, masks: Mapping[str, Tensor] | None) -> Tensor:
    tensor = weight.parameter.detach()
    if masks is not None:
        tensor = tensor.clone()
        zero_pruned(tensor, masks[weight.name])
    return tensor


def included(names: Iterable[str], method: Method) -> list[str]:
    """The names that match no pattern of `method.exclude`.

    Raises:
        UserError: a pattern that matches none, a string instead of a list.
    """
    known = list(names)
    if isinstance(method.exclude, str):
        raise UserError(f"exclude={method.exclude!r} is one string: give a list of patterns, [{method.exclude!r}]")
    for pattern in method.exclude:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UserError(f"exclude: pattern {pattern!r} matches none of {', '.join(known) or 'no weights'}")
    return [name for name in known if not any(fnmatchcase(name, pattern) for pattern in method.exclude)]


@torch.no_grad()
def prune_step(
    network: nn.Module,
    masks: Masks,
    method: Method = Sap(),  # noqa: B008
    *,
    iteration: int = 0,
    seed: int | None = None,
    protocol: ProtocolConfig = EXACT,
    batches: Iterable[tuple[Tensor, Tensor]] | None = None,
) -> Masks:
    """Prune the network in place by one step of the method, and return its next masks.

    The weights decide as they are: for OneShot they have to be the dense network's. `seed` and `iteration` decide what
    RandomPruning draws. `batches` of inputs and labels are for scores that need gradients, as SNIP; they see the
    network in evaluation mode.

    Raises:
        UserError: settings out of their limits, masks of another network, NaN among the weights, no batches.
    """
    method.check(type(method).__name__)
    owned = masks.weights(network)
    free = [name for name in included(masks, method) if masks[name].numel()]
    if not free:
        return masks
    for name in free:
        check_dense(owned[name].parameter, name)
    tensors = {name: owned[name].parameter.detach().float() for name in free}
    alive = {name: masks[name].to(tensor.device) for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        if not bool(tensor.isfinite().all()):
            raise UserError(f"{name} holds NaN or infinity; lower the learning rate, or take an earlier checkpoint")
    draws = [iteration] if seed is None else [seed, iteration]
    scores = _scores(network, tensors, alive, method, draws, batches)
    cut = ({name: owned[name].by_neuron(t[name]) for name in free} for t in (tensors, scores, alive))
    weights, ranks, before = cut
    decided = prune(method, protocol, weights, ranks, before, iteration)
    kept = Masks({**masks, **{name: owned[name].from_neurons(decided.masks[name]).contiguous() for name in free}})
    kept.apply(network)
    return kept


def _scores(
    network: nn.Module,
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    method: Method,
    draws: Sequence[int],
    batches: Iterable[tuple[Tensor, Tensor]] | None,
) -> Mapping[str, Tensor]:
    score: Score = method.score
    if not score.needs_network:
        return score.of_weights(weights, draws)
    if batches is None:
        raise UserError(f"{type(score).__name__} scores by the network's gradients: give batches=...")
    try:
        with torch.enable_grad(), for_scoring(network):
            return score.of_network(network, _Batches(batches), masks)
    except RuntimeError as error:
        if "not have been used" not in str(error):
            raise
        raise UserError(
            f"{type(score).__name__} scores by the network's gradients, and a weight with a mask takes no part in its "
            "output in evaluation mode: leave it out by `keep` in Masks.of"
        ) from error


@dataclass(frozen=True)
class _Batches:
    """Batches as they are given; to go through none raises UserError."""

    given: Iterable[tuple[Tensor, Tensor]]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        empty = True
        for batch in self.given:
            empty = False
            yield batch
        if empty:
            raise UserError("batches=... are none: give one at least, of inputs and labels")
