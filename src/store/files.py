"""Tables, JSON and tensors in files that are there whole or not at all. Imports no PyTorch before tensors are asked for.

Files of tensors are sealed: they carry the SHA-256 of all their bytes, which is verified when they are read.
"""

import csv
import hashlib
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

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


def replace(path: Path, write: Callable[[Path], object], durable: bool = False) -> Path:
    """Let `write` make a file beside `path`, then put it in its place in one step; returns `path`.

    `durable`: both are on the disk before this returns, so that a power cut leaves the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        if durable:
            sync(part)
        os.replace(part, path)
        if durable:
            sync(path.parent)
    finally:
        with suppress(OSError):
            part.unlink()
    return path


def sync(*paths: Path) -> None:
    """Wait until files, and the names in folders, are on the disk."""
    for path in paths:
        if path.is_dir() and os.name == "nt":  # whose folders cannot be opened
            continue
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_parts(folder: Path, name: str = "") -> None:
    """Remove what killed processes left of files whose names begin with `name`, which nobody else may be writing."""
    for part in folder.glob(f".{name}*.part"):
        part.unlink(missing_ok=True)


class Pace:
    """Keeps what can be done more or less often, as checkpoints, to a share of the time."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._next = 0.0

    @property
    def due(self) -> bool:
        """Whether enough time has passed since the last time, by what that took."""
        return time.monotonic() >= self._next

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Around the work, whose time counts where it is due, which is given."""
        began, due = time.monotonic(), self.due
        yield due
        if due:
            ended = time.monotonic()
            self._next = ended + (ended - began) / self._share


def write_text(path: Path, text: str, durable: bool = False) -> Path:
    """Write UTF-8 text, whole or not at all; returns `path`."""
    return replace(path, lambda part: part.write_bytes(text.encode()), durable)


def write_json(path: Path, value: object, durable: bool = False) -> None:
    """Write JSON atomically, indented, in the order given."""
    write_text(path, json.dumps(value, indent=2) + "\n", durable)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a header; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def parsed(row: Mapping[str, str]) -> dict[str, Any]:
    """A row as `read_rows` gives it with its numbers as numbers, and None for an empty cell.

    >>> parsed({"iteration": "3", "loss": "0.5", "layer": "fc", "pqi": ""})
    {'iteration': 3, 'loss': 0.5, 'layer': 'fc', 'pqi': None}
    """
    return {name: _number(text) for name, text in row.items()}


def _number(text: str) -> int | float | str | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text or None


def csv_text(rows: Sequence[Mapping[str, Any]], header: bool) -> str:
    """Rows as CSV, below a header or not; the first row names the columns, None is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_tensors(
    path: Path, tensors: "Mapping[str, Tensor]", metadata: Mapping[str, Any] | None = None, durable: bool = False
) -> None:
    """Write tensors as sealed safetensors atomically; equal tensors and metadata are bytewise equal files."""
    import torch

    entries = []
    for name, tensor in tensors.items():
        bare = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        dtype = DTYPES[str(tensor.dtype).removeprefix("torch.")]
        entries.append(_Entry(name, dtype, list(tensor.shape), bare.nbytes, lambda bare=bare: bare))
    replace(path, lambda part: _write_sealed(part, entries, metadata or {}), durable)


def read_tensors(path: Path, **about: object) -> "tuple[dict[str, Tensor], Any]":
    """All tensors, and the metadata; of a file that somebody else made, which has no seal, as they are.

    `about`: what the metadata of a file of ours must say. Raises OSError where the file is missing, damaged, or another.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    content = path.read_bytes()
    try:
        metadata = _unsealed(content, about)
        return load(content), metadata
    except (SafetensorError, ValueError) as error:
        raise OSError(f"{path} is damaged: {error}") from error


def _unsealed(content: bytes, about: Mapping[str, object]) -> Any:
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
