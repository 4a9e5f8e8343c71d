"""A state dict from a file of the user's: nothing is taken, or even read, that does not fit the model."""

import math
import zipfile
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from src.errors import UserError
from src.messages import State

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
"""What reads the header of an array in a file, by version; later ones are for arrays with fields."""

Shapes = dict[str, tuple[int, ...]]
Opened = tuple[Shapes, Callable[[str], Tensor]]
"""Of the tensors in a file, and what reads one."""


def read_initial_state(path: Path, like: Mapping[str, Tensor]) -> State:
    """A state dict with the names, shapes and types of `like`; nothing is read whose shape does not fit.

    A `.safetensors` file must have our names. The arrays of an `.npz` may be named otherwise: each tensor takes the
    first array left, in the file's order, with its shape and the same last part of the name (`weight`, `bias`, ...).
    Of the names that one tensor of `like` has, any is enough.
    Raises UserError for a file that is damaged, or of another model, or whose values are not finite real numbers, or
    differ under names of one tensor.
    """
    kinds = {".npz": (_opened_npz, _matched), ".safetensors": (_opened_safetensors, _named)}
    if path.suffix not in kinds:
        suffix = path.suffix or "missing"
        raise UserError(f"init_from={path}: the suffix is {suffix}; allowed are {' and '.join(kinds)}")
    opened, pair = kinds[path.suffix]
    try:
        if not path.is_file():
            raise UserError(f"init_from={path}: there is no such file; give a .safetensors or .npz file")
        with opened(path) as (shapes, read):
            names = pair(shapes, like, path)
            state = {name: _converted(read(names[name]), name, tensor.dtype) for name, tensor in like.items()}
        for name, first in _firsts(like).items():
            if not torch.equal(state[name], state[first]):
                raise UserError(
                    f"init_from={path}: {first} and {name} are one tensor of the model, and differ in the file; "
                    "make them equal, or leave one out"
                )
        return state
    except UserError:
        raise
    except Exception as error:  # zipfile, NumPy and safetensors raise errors of many kinds for damaged files
        text = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"init_from={path} cannot be read ({text}); write the file again") from None


@contextmanager
def _opened_npz(path: Path) -> Iterator[Opened]:
    """Shapes as the arrays' headers tell them, and what reads one."""
    with zipfile.ZipFile(path) as file, np.load(path, allow_pickle=False) as arrays:
        shapes = {entry.filename.removesuffix(".npy"): _header(file, entry) for entry in file.infolist()}
        yield shapes, lambda name: _tensor(arrays[name])


def _header(file: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, ...]:
    """An array's shape. Raises ValueError where it would not fill its entry, or is not of real numbers."""
    with file.open(entry) as array:
        version = np.lib.format.read_magic(array)
        if version not in HEADERS:
            raise ValueError(f"{entry.filename} is of version {version} of its format")
        shape, _, dtype = HEADERS[version](array)
        size, found = math.prod(shape) * dtype.itemsize, entry.file_size - array.tell()
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise ValueError(f"{entry.filename} is of type {dtype}, not of real numbers with at most 64 bits")
    if size != found:
        raise ValueError(f"{entry.filename} should have {size} bytes and has {found}")
    return tuple(shape)


def _tensor(array: npt.NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(array, array.dtype.newbyteorder("=")))


@contextmanager
def _opened_safetensors(path: Path) -> Iterator[Opened]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        yield shapes, file.get_tensor


def _converted(tensor: Tensor, name: str, dtype: torch.dtype) -> Tensor:
    if tensor.is_complex() or tensor.dtype == torch.bool:
        raise ValueError(f"{name} is of type {tensor.dtype}, not of real numbers")
    converted = tensor.to(dtype)
    if not (tensor.double().isfinite().all() and converted.isfinite().all()):
        raise ValueError(f"{name} has values that are NaN, infinite, or too large for {dtype}")
    return converted


def _named(shapes: Shapes, like: Mapping[str, Tensor], path: Path) -> dict[str, str]:
    """Each of the model's names with itself, where the file has all of them in their shapes and nothing else.

    What the file lacks is paired with another name of the same tensor.
    """
    firsts = _firsts(like)
    there = {firsts[name]: name for name in like if name in shapes}
    if missing := [name for name in like if firsts[name] not in there]:
        raise UserError(f"init_from={path}: {missing[0]} is missing; the model needs {_listed(_shapes(like))}")
    if extra := [name for name in shapes if name not in like]:
        raise UserError(f"init_from={path}: {extra[0]} is not part of the model, which has {_listed(_shapes(like))}")
    for name, shape in _shapes(like).items():
        if shapes.get(name, shape) != shape:
            raise UserError(
                f"init_from={path}: {name} has shape {list(shapes[name])}, the model needs {list(shape)}; "
                "choose the model and data set that the file was made for"
            )
    return {name: name if name in shapes else there[firsts[name]] for name in like}


def _matched(shapes: Shapes, like: Mapping[str, Tensor], path: Path) -> dict[str, str]:
    """The array for each of the model's names, as `read_initial_state` says."""
    left, needed, firsts = dict(shapes), _shapes(like), _firsts(like)
    if len(left) < len(needed) > len(set(firsts.values())):
        if set(shapes) <= set(like):
            return _named(shapes, like, path)
        needed = {name: needed[name] for name in firsts.values()}
    matched = {}
    for name, shape in needed.items():
        key = next((k for k, other in left.items() if other == shape and _last(k) == _last(name)), None)
        if key is None:
            raise UserError(
                f"init_from={path}: no array of shape {list(shape)} is left for {name}; the file has "
                f"{_listed(shapes)}, the model needs {_listed(needed)}"
            )
        matched[name] = key
        del left[key]
    if left:
        raise UserError(f"init_from={path}: the model has no place for {_listed(left)}; it has {_listed(needed)}")
    return {name: matched.get(name, matched[first]) for name, first in firsts.items()}


def _firsts(like: Mapping[str, Tensor]) -> dict[str, str]:
    """For each name the first name of the same tensor: where layers share one, its own or another."""
    found: dict[Hashable, str] = {}
    return {name: found.setdefault(_place(tensor) or name, name) for name, tensor in like.items()}


def _place(tensor: Tensor) -> Hashable:
    """Where its numbers are in memory; None where it has none."""
    return (tensor.data_ptr(), tensor.shape, tensor.stride()) if tensor.numel() else None


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _shapes(tensors: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _listed(shapes: Shapes) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in list(shapes.items())[:6]) + ", ..." * (len(shapes) > 6)
