"""A network's weights: which of its parameters are pruned, and which numbers of each belong to one neuron."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from ..errors import UserError

Keep = Callable[[str, nn.Module], bool]
"""Says of a parameter, by its name and the module that holds it, whether it is measured and pruned."""

_SOURCE = re.compile(r"(?:parametrizations\.)?(\w*weight)(?:\.original\d*|_orig|_v)$")
"""A parameter that `torch.nn.utils` computes a weight from: by `parametrize`; by `prune` and the older norms."""


def everything(_name: str, _owner: nn.Module) -> bool:
    """A rule that leaves nothing out."""
    return True


def no_embedding(_name: str, owner: nn.Module) -> bool:
    """The rule unless another is given: all but embeddings, and what is tied to one."""
    return not isinstance(owner, nn.Embedding | nn.EmbeddingBag)


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
        transposed = type(self.owner).__name__ == "Conv1D"  # Transformers' own: [inputs, outputs]
        return tensor.t() if transposed else tensor

    def from_neurons(self, tensor: Tensor) -> Tensor:
        """The inverse of `by_neuron`, which undoes itself."""
        return self.by_neuron(tensor)

    def uses(self, inputs: tuple[Tensor, ...], output: Tensor) -> int:
        """How often a forward pass of the owner multiplies by each number of the parameter."""
        if isinstance(self.owner, _ConvTransposeNd):
            return inputs[0].numel() // self.owner.in_channels
        if isinstance(self.owner, _ConvNd):
            return output.numel() // self.owner.out_channels
        if isinstance(self.owner, nn.MultiheadAttention):
            return int(inputs[0].numel() // self.owner.embed_dim)
        return output.numel() // output.shape[-1]


def weights_of(network: nn.Module, keep: Keep = no_embedding) -> dict[str, Weight]:
    """Parameters of 2 dimensions or more called `*weight`, each once, also where layers share it.

    A parameter that several modules hold is left out where `keep` leaves out one of them.

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
            if not name.endswith("weight") or parameter.ndim < 2:
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
def for_scoring(network: nn.Module) -> Iterator[None]:
    """In here `network` is in evaluation mode, and its state dict names once, as `weights_of` does, what layers share.

    Scores differentiate by that dict's tensors, and PyTorch takes one value only for each. No copy: a network whose
    weights are computed, as by torch's pruning, has none.
    """
    named = reversed(network.state_dict(keep_vars=True).items())
    names = {id(tensor): name for name, tensor in sorted(named, key=lambda item: item[0].endswith("weight"))}

    def once(_network: nn.Module, state: dict[str, Any], *_: Any) -> None:
        for name in state.keys() - set(names.values()):
            del state[name]

    modes = {module: module.training for module in network.modules()}
    hook = network.register_state_dict_post_hook(once)
    network.eval()
    try:
        yield
    finally:
        hook.remove()
        for module, training in modes.items():
            module.training = training


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
