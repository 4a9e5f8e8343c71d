"""The initial state from a file, instead of from the seed."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from src.errors import UserError
from src.store.files import read_tensors


def read_initial_state(path: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with the names and shapes of `like`.

    A `.safetensors` file must have our names. The arrays of an `.npz` may be named otherwise: each tensor takes the
    first array left, in the file's order, with its shape and the same last part of the name (`weight`, `bias`, ...).
    """
    if not path.is_file():
        raise UserError(f"init_from={path}: there is no such file; give a .safetensors or .npz file")
    if path.suffix == ".npz":
        return _matched(_read_npz(path), like, path)
    if path.suffix == ".safetensors":
        try:
            tensors, _ = read_tensors(path)
        except OSError as error:
            raise UserError(f"init_from: {error}; write the file again") from error
        return _named(tensors, like, path)
    raise UserError(f"init_from={path}: the suffix is {path.suffix or 'missing'}; allowed are .safetensors and .npz")


def _read_npz(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(np.array(arrays[name])) for name in arrays.files}
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise UserError(f"init_from={path} cannot be read ({error}); write the file again") from error


def _named(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    if missing := [name for name in like if name not in tensors]:
        raise UserError(f"init_from={path}: {missing[0]} is missing; the model needs {_shapes(like)}")
    if extra := [name for name in tensors if name not in like]:
        raise UserError(f"init_from={path}: {extra[0]} is not part of the model, which has {_shapes(like)}")
    for name, tensor in like.items():
        if tensors[name].shape != tensor.shape:
            raise UserError(
                f"init_from={path}: {name} has shape {list(tensors[name].shape)}, the model needs "
                f"{list(tensor.shape)}; choose the model and data set that the file was made for"
            )
    return {name: tensors[name].to(tensor.dtype) for name, tensor in like.items()}


def _matched(arrays: dict[str, Tensor], like: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    left = dict(arrays)
    matched = {}
    for name, tensor in like.items():
        key = next((k for k, a in left.items() if a.shape == tensor.shape and _last(k) == _last(name)), None)
        if key is None:
            raise UserError(
                f"init_from={path}: no array of shape {list(tensor.shape)} is left for {name}; the file has "
                f"{_shapes(arrays)}, the model needs {_shapes(like)}"
            )
        matched[name] = left.pop(key).to(tensor.dtype)
    if left:
        raise UserError(f"init_from={path}: the model has no place for {_shapes(left)}; it has {_shapes(like)}")
    return matched


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _shapes(tensors: Mapping[str, Tensor]) -> str:
    shown = [f"{name} {list(tensor.shape)}" for name, tensor in list(tensors.items())[:6]]
    return ", ".join(shown) + (", ..." if len(tensors) > 6 else "")
