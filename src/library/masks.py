"""Masks of a network: which of its weights are alive."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..errors import UserError
from ..pruning.masks import full_masks, remaining
from .network import Keep, Weight, evaluating, everything, no_embedding, parameters_of, uses, weights_of
from .safetensors import stored_tensors, write_safetensors


class Flops(NamedTuple):
    """Multiply-adds of a forward pass through the masked layers: as they are, and those that pruning leaves."""

    dense: int
    sparse: int


class Masks(Mapping[str, Tensor]):
    """Boolean tensors by the names of a network's parameters; True: the weight is alive. UserError for other tensors.

    >>> masks = Masks.of(nn.Linear(3, 2))
    >>> masks.alive, masks.total
    (6, 6)
    """

    def __init__(self, masks: Mapping[str, Tensor]) -> None:
        self._masks = dict(masks)
        for name, mask in self._masks.items():
            if mask.dtype != torch.bool:
                raise UserError(f"mask {name} is of {mask.dtype}; masks are booleans, True where a weight is alive")

    @classmethod
    def of(cls, network: nn.Module, keep: Keep = no_embedding) -> "Masks":
        """Every weight is alive; embeddings have no mask unless `keep` says so."""
        weights = {name: weight.parameter.detach() for name, weight in weights_of(network, keep).items()}
        return cls(full_masks(weights, weights))

    @classmethod
    def of_zeros(cls, network: nn.Module, keep: Keep = no_embedding) -> "Masks":
        """Those of a network that is pruned already: what is zero is pruned."""
        return cls({name: weight.parameter.detach() != 0 for name, weight in weights_of(network, keep).items()})

    @classmethod
    def load(cls, path: Path | str) -> "Masks":
        """Masks from a safetensors file of booleans.

        Raises:
            UserError: no such file, or one of other things.
        """
        if not Path(path).is_file():
            raise UserError(f"{path}: there are no masks; Masks.save writes them")
        tensors = {stored.name: stored.read() for stored in stored_tensors(Path(path))}
        for name, tensor in tensors.items():
            if tensor.dtype != torch.bool:
                raise UserError(
                    f"{path}: {name} is of {tensor.dtype}, no mask; masks are booleans, as Masks.save writes"
                )
        return cls(tensors)

    def save(self, path: Path | str) -> None:
        """Write a safetensors file, a byte per weight, that any reader understands."""
        write_safetensors(self._masks, Path(path))

    def __getitem__(self, name: str) -> Tensor:
        return self._masks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._masks)

    def __len__(self) -> int:
        return len(self._masks)

    def __eq__(self, other: object) -> bool:
        """The same names, and of each the same mask."""
        return (
            isinstance(other, Masks)
            and self.keys() == other.keys()
            and all(torch.equal(mask, other[name]) for name, mask in self.items())
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def alive(self) -> int:
        return remaining(self)

    @property
    def total(self) -> int:
        return sum(mask.numel() for mask in self.values())

    def weights(self, network: nn.Module) -> dict[str, Weight]:
        """The parameters that the masks are of.

        Raises:
            UserError: masks of another network.
        """
        found = parameters_of(network, everything)
        for name, mask in self.items():
            shape = list(found[name].parameter.shape) if name in found else "no such weight"
            if shape != list(mask.shape):
                raise UserError(f"mask {name} has shape {list(mask.shape)}, the network has {shape}; use its own masks")
        return {name: found[name] for name in self}

    @torch.no_grad()
    def apply(self, network: nn.Module) -> None:
        """Set pruned weights to zero, in place."""
        for name, weight in self.weights(network).items():
            zero_pruned(weight.parameter, self[name])

    def hold(self, network: nn.Module, optimizer: Optimizer) -> Any:
        """Keep pruned weights zero: applied after each of the optimizer's steps, until the handle's `remove()`."""
        self.apply(network)
        return optimizer.register_step_post_hook(lambda *_: self.apply(network))

    @torch.no_grad()
    def uses(self, network: nn.Module, *inputs: Any, **named: Any) -> dict[str, Tensor]:
        """How often one forward pass with these inputs multiplies by each number of the parameters that have masks.

        Of shape [], or [rows] in attention, where queries, keys and values may differ in length. The network is in
        evaluation mode meanwhile.
        """
        found = {name: torch.tensor(0) for name in self}
        with ExitStack() as hooks, evaluating(network):
            for name, weight in self.weights(network).items():
                for layer in _layers_by(network, weight.parameter):
                    hook = _counting(name, weight.parameter, found)
                    hooks.callback(layer.register_forward_hook(hook, with_kwargs=True).remove)
            network(*inputs, **named)
        return found

    def flops(self, network: nn.Module, *inputs: Any, **named: Any) -> Flops:
        """Multiply-adds of one forward pass with these inputs, in the layers that have masks."""
        times = self.uses(network, *inputs, **named)
        dense = sum(int(times[name].sum()) * (mask.numel() // times[name].numel()) for name, mask in self.items())
        return Flops(dense, sum(int((times[name] * mask.flatten(1).sum(1).cpu()).sum()) for name, mask in self.items()))


@torch.no_grad()
def zero_pruned(tensor: Tensor, mask: Tensor) -> None:
    """Set what the mask does not keep to zero, in place, whatever is there."""
    bits = tensor.view(torch.uint8) if tensor.dtype.itemsize == 1 else tensor  # PyTorch fills no float8
    bits.masked_fill_(~mask.to(tensor.device), 0)


def _layers_by(network: nn.Module, parameter: nn.Parameter) -> Iterator[nn.Module]:
    """Modules whose calls multiply by the parameter: all that hold it, or the attention that uses its output layer."""
    attentions = [m for m in network.modules() if isinstance(m, nn.MultiheadAttention)]
    for holder in network.modules():
        if any(held is parameter for held in holder.parameters(recurse=False)):
            around: list[nn.Module] = [attention for attention in attentions if attention.out_proj is holder]
            yield from around or [holder] * (not isinstance(holder, nn.Embedding | nn.EmbeddingBag))


def _counting(name: str, parameter: nn.Parameter, found: dict[str, Tensor]) -> Any:
    def count(layer: nn.Module, positional: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        found[name] = found[name] + uses(layer, parameter, positional, named, output)

    return count
