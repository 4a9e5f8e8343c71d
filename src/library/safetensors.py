"""The safetensors format, read tensor by tensor and written: 8 bytes of length, a JSON header, the tensors' bytes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ..errors import UserError
from ..files import replace

_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "C64": torch.complex64,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz, "F8_E5M2FNUZ": torch.float8_e5m2fnuz, "BOOL": torch.bool, "U8": torch.uint8,
    "I8": torch.int8, "I16": torch.int16, "I32": torch.int32, "I64": torch.int64,
    "U16": torch.uint16, "U32": torch.uint32, "U64": torch.uint64,
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}
"""Types of fewer bits than a byte, which PyTorch does not have: their tensors are read as bytes [n]."""
_LONGEST_HEADER = 100_000_000
"""Bytes that the format allows."""
_BLOCK = 2**22
"""Bytes that are read at a time."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that lies in a file from byte `start` on, in row-major order."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    path: Path
    start: int

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    def blocks(self) -> Iterator[Tensor]:
        """Its values, flat and a few megabytes at a time; a block is overwritten by the next one."""
        memory = torch.empty(min(_BLOCK, self.bytes), dtype=torch.uint8)
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.start)
            for done in range(0, self.bytes, _BLOCK):
                block = memory[: min(_BLOCK, self.bytes - done)]
                self._fill(file, block)
                yield block.view(self.dtype)

    def read(self) -> Tensor:
        memory = torch.empty(self.bytes, dtype=torch.uint8)
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.start)
            self._fill(file, memory)
        return memory.view(self.dtype).view(self.shape)

    def _fill(self, file: BinaryIO, memory: Tensor) -> None:
        view, done = memoryview(memory.numpy()), 0  # type: ignore[arg-type]
        while done < len(view):
            got = file.readinto(view[done:])  # type: ignore[attr-defined]
            if not got:
                raise UserError(f"{self.path} ends within {self.name}: it is cut off, get it again")
            done += got


def stored_tensors(path: Path) -> list[StoredTensor]:
    """The tensors of a safetensors file, in the order in which they lie in it; only its header is read.

    Raises:
        UserError: what is not such a file, or is damaged.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, _LONGEST_HEADER):
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(file.read(length))
        tensors = [_entry(name, about, path, 8 + length) for name, about in header.items() if name != "__metadata__"]
        if any(tensor.start + tensor.bytes > size for tensor in tensors):
            raise ValueError("it ends before its tensors do")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} is no safetensors file, or is damaged ({error}); get it again") from error
    return sorted(tensors, key=lambda tensor: tensor.start)


def _entry(name: str, about: Any, path: Path, data: int) -> StoredTensor:
    kind, shape, (begin, end) = about["dtype"], about["shape"], about["data_offsets"]
    if kind not in _DTYPES and kind not in _BITS:
        raise ValueError(f"{name} has type {kind}")
    if not all(type(number) is int and number >= 0 for number in [*shape, begin, end]):
        raise ValueError(f"{name} has shape {shape}, place {begin}:{end}")
    bits = _BITS[kind] if kind in _BITS else 8 * _DTYPES[kind].itemsize
    if prod(shape) * bits != 8 * (end - begin):
        raise ValueError(f"{name} of shape {shape} takes {end - begin} bytes")
    if kind in _BITS:
        return StoredTensor(name, torch.uint8, (end - begin,), path, data + begin)
    return StoredTensor(name, _DTYPES[kind], tuple(shape), path, data + begin)


def write_safetensors(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors by name; the file is there whole or not at all."""

    def write(part: Path) -> None:
        with part.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for tensor in tensors.values():
                file.write(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())

    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    place = 0
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, place := place + tensor.numel() * tensor.element_size()],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    replace(path, write)


def read_metadata(path: Path) -> dict[str, str]:
    """The words that a safetensors file keeps beside its tensors."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return dict(header.get("__metadata__", {}))
