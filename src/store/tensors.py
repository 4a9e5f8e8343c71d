"""Tensors in safetensors files that are sealed: they carry the SHA-256 of all their bytes, verified when they are read.

Imports no PyTorch before it is needed.
"""

import hashlib
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from src.files import replace

if TYPE_CHECKING:
    from torch import Tensor

METADATA_KEY = "json"
SEAL = "sha256"
UNSEALED = "0" * 64
"""What stands for the seal in the bytes that it is the hash of."""

DTYPES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "float16": "F16",
    "bfloat16": "BF16", "float32": "F32", "float64": "F64", "complex64": "C64",
}  # fmt: skip
"""PyTorch's names of types, and those of safetensors."""


def write_tensors(
    path: Path, tensors: "Mapping[str, Tensor]", metadata: Mapping[str, Any] | None = None, durable: bool = False
) -> None:
    """Write tensors as sealed safetensors atomically; equal tensors and metadata are bytewise equal files."""
    import torch

    entries = []
    for name, tensor in tensors.items():
        bare = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        dtype = DTYPES[str(tensor.dtype).removeprefix("torch.")]
        entries.append(_Entry(name, dtype, list(tensor.shape), bare.nbytes, partial(lambda content: content, bare)))
    replace(path, lambda part: _write_sealed(part, entries, metadata or {}), durable)


def read_tensors(path: Path, sealed: bool = False, **about: object) -> "tuple[dict[str, Tensor], Any]":
    """All tensors, and the metadata; of a file that somebody else made, which has no seal, as they are.

    `sealed`: it must be one of ours; `about`: so must it, and what its metadata must say. Raises OSError where the file
    is missing, damaged or another.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    content = path.read_bytes()
    try:
        metadata = _unsealed(content, sealed, about)
        return load(content), metadata
    except (SafetensorError, ValueError) as error:
        raise OSError(f"{path} is damaged: {error}") from error


def _unsealed(content: bytes, sealed: bool, about: Mapping[str, object]) -> Any:
    """The metadata in a file's bytes. Raises ValueError where these are not what was sealed."""
    metadata = _metadata(_header(io.BytesIO(content))[0])
    seal = metadata.pop(SEAL, None) if isinstance(metadata, dict) else None
    if seal is not None:
        place, view = content.find(str(seal).encode()), memoryview(content)
        found = hashlib.sha256(view[:place])
        found.update(UNSEALED.encode())
        found.update(view[place + len(UNSEALED) :])
        if found.hexdigest() != seal:
            raise ValueError("its checksum is another")
    if sealed and seal is None:
        raise ValueError("it has no checksum")
    if about and (seal is None or metadata | about != metadata):
        raise ValueError(f"it is not of {', '.join(f'{key} {value}' for key, value in about.items())}")
    return metadata


def _header(file: IO[bytes]) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file, and where its data begin. Raises ValueError where there is none."""
    length = int.from_bytes(file.read(8), "little")
    if length > 100_000_000:
        raise ValueError("it has no header of a safetensors file")
    header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("it has no header of a safetensors file")
    return header, 8 + length


def _metadata(header: Mapping[str, Any]) -> Any:
    about = header.get("__metadata__")
    return json.loads(about.get(METADATA_KEY, "null")) if isinstance(about, dict) else None


def stored_bytes(path: Path, names: Iterable[str]) -> list[bytes]:
    """The bytes of tensors of a file that has been verified."""
    with path.open("rb") as file:
        header, begin = _header(file)
        spans = [header[name]["data_offsets"] for name in names]
        return [_span(file, begin + start, end - start) for start, end in spans]


def join_tensors(path: Path, parts: Mapping[str, Path], folder: str, metadata: dict[str, Any]) -> bool:
    """Write the tensors `<folder>/<name>` of each part as `<label>/<name>` of one file, one at a time in memory.

    `parts`: label -> file that has been verified; of its metadata, `folder` are those of the tensors. False where none
    of them has such tensors.
    """
    entries = []
    for label, part in parts.items():
        with part.open("rb") as file:
            header, begin = _header(file)
        metadata = metadata | _metadata(header).get(folder, {})
        for name, about in header.items():
            if name.startswith(f"{folder}/"):
                start, end = about["data_offsets"]
                content = partial(_read, part, begin + start, end - start)
                new = f"{label}/{name.removeprefix(f'{folder}/')}"
                entries.append(_Entry(new, about["dtype"], about["shape"], end - start, content))
    if entries:
        replace(path, lambda part: _write_sealed(part, entries, metadata))
    return bool(entries)


class _Entry(NamedTuple):
    """A tensor to be written: its content, of `size` bytes, is asked for when it is its turn."""

    name: str
    dtype: str
    shape: list[int]
    size: int
    content: Callable[[], Any]

    @property
    def order(self) -> tuple[int, str]:
        """Wide numbers first, so that all are aligned."""
        return -self.size // max(math.prod(self.shape), 1), self.name


def _write_sealed(path: Path, entries: Sequence[_Entry], metadata: Mapping[str, Any]) -> None:
    entries, offset = sorted(entries, key=lambda entry: entry.order), 0
    header: dict[str, Any] = {"__metadata__": {METADATA_KEY: json.dumps({SEAL: UNSEALED, **metadata})}}
    for name, dtype, shape, size, _ in entries:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    found = hashlib.sha256()
    with path.open("wb") as file:
        for chunk in chain([len(text).to_bytes(8, "little"), text], (entry.content() for entry in entries)):
            found.update(chunk)
            file.write(chunk)
        file.seek(8 + text.index(UNSEALED.encode()))
        file.write(found.hexdigest().encode())


def _read(path: Path, start: int, size: int) -> bytes:
    with path.open("rb") as file:
        return _span(file, start, size)


def _span(file: IO[bytes], start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)
