"""A network's weights: which of its parameters are pruned, and which numbers of each belong to one neuron."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from ..errors import UserError

Keep = Callable[[str, nn.Module], bool]
"""Says of a parameter, by its name and the module that holds it, whether it is measured and pruned."""

_WEIGHT = r"weight(?:_[ih][hr](?:_l\d+(?:_reverse)?)?)?"
"""What names of weights end in: `in_proj_weight`, and `weight_ih_l0` of a recurrent layer."""
_CALLED_WEIGHT = re.compile(rf".*{_WEIGHT}")
_SOURCE = re.compile(rf"(?:parametrizations\.)?(\w*{_WEIGHT})(?:\.original\d*|_orig|_v)$")
"""A parameter that `torch.nn.utils` computes a weight from: by `parametrize`; by `prune` and the older norms."""


def everything(_name: str, _owner: nn.Module) -> bool:
    """A rule that leaves nothing out."""
    return True


def no_embedding(_name: str, owner: nn.Module) -> bool:
    """The rule unless another is given: all but normalisations, embeddings, and what is tied to one."""
    return not isinstance(owner, nn.Embedding | nn.EmbeddingBag | nn.LayerNorm | nn.RMSNorm)


def is_weight(name: str, tensor: Tensor) -> bool:
    """Whether a tensor is called as weights are, has two dimensions or more, and is not of whole numbers."""
    numbers = tensor.is_floating_point() or tensor.is_complex()
    return numbers and tensor.ndim > 1 and called_weight(name)


def called_weight(name: str) -> bool:
    """Whether this is what weights are called: `*weight`, and `*weight_ih_l0` and the like in recurrent layers."""
    return _CALLED_WEIGHT.fullmatch(name) is not None


@dataclass(frozen=True)
class Weight:
    """A parameter and the module that holds it."""

    name: str
    parameter: nn.Parameter
    owner: nn.Module

    def by_neuron(self, tensor: Tensor) -> Tensor:
        """A tensor of the parameter's shape as [neurons, ...]: of a neuron's weights, in whichever layer it is."""
        if isinstance(self.owner, _ConvTransposeNd):  # [groups * in, out, ...] to [groups * out, in, ...] and back
            by_group = tensor.reshape(self.owner.groups, -1, *tensor.shape[1:])
            return by_group.transpose(1, 2).flatten(0, 1)
        return tensor.t() if _is_transposed(self.owner) else tensor

    def from_neurons(self, tensor: Tensor) -> Tensor:
        """The inverse of `by_neuron`, which undoes itself."""
        return self.by_neuron(tensor)


def uses(
    layer: nn.Module, parameter: nn.Parameter, positional: tuple[Any, ...], named: Mapping[str, Any], output: Any
) -> Tensor:
    """How often a call of the layer multiplies by each number of the parameter: [], or [rows] where rows differ."""
    if isinstance(layer, nn.MultiheadAttention):
        query, key, value = (tensor.numel() // tensor.shape[-1] for tensor in _arguments(layer, positional, named)[:3])
        parts = {id(layer.k_proj_weight): [key], id(layer.v_proj_weight): [value]}
        parts[id(layer.in_proj_weight)] = [query, key, value]
        times = torch.tensor(parts.get(id(parameter), [query]))
        return times.repeat_interleave(len(parameter) // len(times))
    if isinstance(layer, _ConvTransposeNd):
        return torch.tensor(_arguments(layer, positional, named)[0].numel() // layer.in_channels)
    made = _first_tensor(output)
    channels = layer.out_channels if isinstance(layer, _ConvNd) else made.shape[-1] if made.ndim else 1
    return torch.tensor(made.numel() // channels)


def _arguments(layer: nn.Module, positional: tuple[Any, ...], named: Mapping[str, Any]) -> list[Any]:
    """What a layer is called with, in the order of its forward's parameters."""
    return list(inspect.signature(layer.forward).bind(*positional, **named).arguments.values())


def _first_tensor(output: Any) -> Tensor:
    """Of a layer's output: itself, or the first that it holds."""
    while not isinstance(output, Tensor):
        output = next(iter(output.values() if isinstance(output, Mapping) else output))
    return output


def _is_transposed(owner: nn.Module) -> bool:
    """Whether it is Transformers' own Conv1D, whose weight is [inputs, outputs]."""
    kinds = type(owner).__mro__
    return any(kind.__name__ == "Conv1D" and kind.__module__.startswith("transformers.") for kind in kinds)


def weights_of(network: nn.Module, keep: Keep = no_embedding) -> dict[str, Weight]:
    """Parameters of 2 dimensions or more called `*weight`, each once, also where layers share it.

    Those of recurrent layers are called `*weight_ih_l0` and the like. A parameter that several modules hold is left out
    where `keep` leaves out one of them, and one of whole numbers always.

    Raises:
        UserError: nothing to measure or prune; a weight that `keep` keeps, and that is no parameter but computed.
    """
    if computed := [name for name, owner in _computed(network).items() if keep(name, owner)]:
        raise UserError(
            f"{', '.join(computed)}: computed from other parameters (by torch.nn.utils.parametrize, prune or a norm), "
            f"no parameter to measure or prune; make it one (parametrize.remove_parametrizations, prune.remove), or "
            f"leave it out by `keep`"
        )
    return parameters_of(network, keep)


def parameters_of(network: nn.Module, keep: Keep) -> dict[str, Weight]:
    """The same where weights that are computed do not count.

    Raises:
        UserError: nothing to measure or prune.
    """
    found: dict[int, Weight] = {}
    left: set[int] = set()
    for prefix, owner in network.named_modules():
        for name, parameter in owner.named_parameters(prefix, recurse=False):
            if not is_weight(name, parameter):
                continue
            if keep(name, owner):
                found.setdefault(id(parameter), Weight(name, parameter, owner))
            else:
                left.add(id(parameter))
    kept = {weight.name: weight for key, weight in found.items() if key not in left}
    if not kept:
        names = ", ".join(name for name, _ in network.named_parameters()) or "none"
        raise UserError(
            f"{type(network).__name__} has no weights to prune: they are parameters called *weight of 2 dimensions or "
            f"more that `keep` keeps; its parameters: {names}"
        )
    return kept


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """In here `network` is in evaluation mode: no statistics move, and nothing is drawn."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def for_scoring(network: nn.Module) -> Iterator[None]:
    """In here `network` is evaluated, and its state dict names once, as `weights_of` does, what layers share.

    Scores differentiate by that dict's tensors, and PyTorch takes one value only for each. What else a module keeps in
    it is left out. No copy: a network whose weights are computed, as by torch's pruning, has none.
    """
    kept = network.state_dict(keep_vars=True).items()
    named = reversed([(name, value) for name, value in kept if isinstance(value, Tensor)])
    names = {id(tensor): name for name, tensor in sorted(named, key=lambda item: called_weight(item[0]))}

    def once(_network: nn.Module, state: dict[str, Any], *_: Any) -> None:
        for name in state.keys() - set(names.values()):
            del state[name]

    hook = network.register_state_dict_post_hook(once)
    try:
        with evaluating(network):
            yield
    finally:
        hook.remove()


def _computed(network: nn.Module) -> dict[str, nn.Module]:
    """Weights of 2 dimensions or more that layers compute from parameters of other names, and the layers."""
    found: dict[str, nn.Module] = {}
    for name, parameter in network.named_parameters():
        weight = _SOURCE.sub(r"\1", name)
        module, _, attribute = weight.rpartition(".")
        if weight != name and parameter.ndim > 1:
            owner = network.get_submodule(module)
            if attribute in dir(owner) and attribute not in dict(owner.named_parameters(recurse=False)):
                found[weight] = owner
    return found
