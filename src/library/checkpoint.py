"""The tensors of a checkpoint, whichever of the usual ways it is kept in; nothing in it is executed."""

import ctypes
import json
import os
import pickle
import sys
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from .compressed import decompress
from .safetensors import StoredTensor, read_metadata, stored_tensors

STATE_KEYS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params", "ema")
"""Where a checkpoint keeps the state dict, in the order of looking."""
INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
SINGLES = ("model.safetensors", "diffusion_pytorch_model.safetensors", "pytorch_model.bin")
TORCHVISION = "torchvision:"
_DONTNEED = 4


@dataclass(frozen=True)
class LoadedTensor:
    """A tensor in memory, or in a file that is mapped to it; `aliases`: its other names, where it is tied."""

    name: str
    tensor: Tensor
    mapped: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def dtype(self) -> torch.dtype:
        return self.tensor.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    def blocks(self) -> Iterator[Tensor]:
        yield self.tensor
        if self.mapped:
            _forget(self.tensor)

    def read(self) -> Tensor:
        return self.tensor


NamedTensor = StoredTensor | LoadedTensor
"""A tensor of a checkpoint: its `blocks` are its values, a part at a time; `read` gives the whole of it."""


def open_checkpoint(source: str) -> list[NamedTensor]:
    """All tensors of a file, a folder of Hugging Face's, an index of shards, or `torchvision:NAME`.

    Raises:
        UserError: no such file, no checkpoint, or one that would have to run code to be loaded.
    """
    if source.startswith(TORCHVISION):
        return _torchvision(source.removeprefix(TORCHVISION))
    path = Path(os.path.expanduser(source))
    if path.is_dir():
        path = _in_folder(path)
    if not path.is_file():
        raise UserError(
            f"{source}: there is no such file; give a .safetensors file, a PyTorch checkpoint, a folder with "
            f"{SINGLES[0]} or {INDICES[0]} in it, or {TORCHVISION}resnet50"
        )
    return _shards(path) if path.name.endswith(".index.json") else _file(path)


def _in_folder(folder: Path) -> Path:
    found = [folder / name for name in (*INDICES, *SINGLES) if (folder / name).is_file()]
    if not found:
        raise UserError(f"{folder} holds none of {', '.join((*INDICES, *SINGLES))}; name the file itself")
    return found[0]


def _shards(index: Path) -> list[NamedTensor]:
    try:
        places = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        shards = sorted({str(place) for place in places.values()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{index} is no index of shards: it has no `weight_map` of tensors to files") from error
    tensors: list[NamedTensor] = []
    for shard in shards:
        path = index.parent / shard
        if Path(shard).name != shard or not path.is_file():
            raise UserError(f"{index} names {shard}, which is not there; put all shards beside the index")
        tensors += [tensor for tensor in _file(path) if any(places.get(name) == shard for name in tensor.names)]
    lacking = set(places) - {name for tensor in tensors for name in tensor.names}
    if lacking:
        raise UserError(f"{index} names {min(lacking)}, which is in none of the shards; get them again")
    return tensors


def _file(path: Path) -> list[NamedTensor]:
    with path.open("rb") as file:
        start = file.read(9)
    pickled = start.startswith((b"PK", b"\x80")) and not start.endswith(b"\0\0\0\0{")  # the end of a header's length
    if pickled:
        return _pytorch(path)
    return _whole(path, stored_tensors(path))


def _whole(path: Path, stored: list[StoredTensor]) -> list[NamedTensor]:
    """The tensors of a safetensors file; those that `compress` has made smaller are restored in memory."""
    names = [tensor.name for tensor in stored]
    values = [name.removesuffix(":values") for name in names if name.endswith(":values")]
    if {f"{name}:{places}" for name in values for places in ("bitmap", "rows")}.isdisjoint(names):
        return list(stored)
    shapes = read_metadata(path).get("shapes")
    if shapes is None:
        raise UserError(
            f"{path} holds a run's networks in few bytes: measure what `python -m src.export RUN --iteration N` writes"
        )
    try:
        state = decompress({tensor.name: tensor.read() for tensor in stored}, json.loads(shapes))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({error}); export it again") from error
    whole = dict.fromkeys(name if name in state else name.rpartition(":")[0] for name in names)
    return [LoadedTensor(name, state[name]) for name in whole]


def _pytorch(path: Path) -> list[NamedTensor]:
    """Of a file by `torch.save`, whose tensors stay on the disk where its format allows; tied ones once."""
    zipped = path.open("rb").read(2) == b"PK"
    try:
        state = _state(torch.load(path, map_location="cpu", weights_only=True, mmap=zipped))
        tied = _tied(state or {})
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} holds more than tensors and plain values, and is not loaded, as that could run code "
            f"({_reason(error)}); where you trust it, save its `state_dict()` and measure that"
        ) from error
    except Exception as error:  # a damaged file may lead to any
        raise UserError(f"{path} is no PyTorch checkpoint, or is damaged ({_reason(error)})") from error
    if state is None:
        raise UserError(f"{path} holds no state dict: there are no tensors in it, nor under {', '.join(STATE_KEYS)}")
    return [LoadedTensor(name, state[name], zipped, tuple(others)) for name, *others in tied]


def _state(content: Any) -> dict[str, Tensor] | None:
    """The tensors under the first of the usual keys that has some; else those beside them, as an epoch may be one."""
    if not isinstance(content, Mapping):
        return None
    inner = (_state(content[key]) for key in STATE_KEYS if key in content)
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    return next((state for state in inner if state is not None), tensors or None)


def _tied(state: Mapping[str, Tensor]) -> list[list[str]]:
    """The names of each tensor, in the order of its first."""
    names: dict[Hashable, list[str]] = {}
    for name, tensor in state.items():
        names.setdefault(_place(tensor), []).append(name)
    return list(names.values())


def _place(tensor: Tensor) -> Hashable:
    """What tensors have in common that are one."""
    if tensor.layout != torch.strided:
        return id(tensor)
    return tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tensor.shape, tensor.stride()


def _reason(error: Exception) -> str:
    """The line of a message that says what, without advice on how to load it all the same."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "GLOBAL" in line or "Unsupported" in line]
    return (told or lines or [type(error).__name__])[0][:200]


def _torchvision(name: str) -> list[NamedTensor]:
    name, _, weights = name.partition("@")
    try:
        from torchvision.models import get_model, list_models
    except ImportError as error:
        raise UserError(f"{TORCHVISION}{name} needs torchvision: pip install torchvision") from error
    if name not in list_models() or weights not in ("", "random"):
        raise UserError(f"torchvision has no model {name!r}; it has {', '.join(list_models())}")
    try:
        model = get_model(name, weights=None if weights else "DEFAULT")
    except OSError as error:
        raise UserError(
            f"the weights of {name} cannot be downloaded ({error}); {TORCHVISION}{name}@random takes untrained ones"
        ) from error
    return [LoadedTensor(key, tensor) for key, tensor in model.state_dict().items()]


def _forget(tensor: Tensor) -> None:
    """Give the memory of a mapped tensor back; the system would otherwise keep all of the file while there is room."""
    storage = tensor.untyped_storage()
    if sys.platform == "linux" and storage.nbytes():
        page, start = 4096, storage.data_ptr()
        first, last = -(-start // page) * page, (start + storage.nbytes()) // page * page
        if last > first:
            ctypes.CDLL(None).madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), _DONTNEED)
