"""Tables, JSON and tensors in files that are there whole or not at all. Imports no PyTorch before tensors are asked for."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.files import replace as replace

if TYPE_CHECKING:
    from torch import Tensor

METADATA_KEY = "json"


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text, whole or not at all; returns `path`."""
    return replace(path, lambda part: part.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: object) -> None:
    """Write JSON atomically, indented, in the order given."""
    write_text(path, json.dumps(value, indent=2) + "\n")


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


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV atomically; the first row names the columns, None is an empty cell."""

    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    replace(path, write)


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]", metadata: object = None) -> None:
    """Write tensors as safetensors atomically; `metadata` is JSON under one key, so that equal is bytewise equal."""
    from safetensors.torch import save_file

    cpu = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}

    def write(part: Path) -> None:
        part.touch()  # safetensors would make it readable for its owner alone; this honours the umask
        mode = part.stat().st_mode
        save_file(cpu, part, {METADATA_KEY: json.dumps(metadata)})
        part.chmod(mode)

    replace(path, write)


def read_tensors(path: Path, keep: Callable[[str], bool] = lambda _: True) -> "tuple[dict[str, Tensor], Any]":
    """Tensors whose name `keep` accepts, and the metadata. Raises OSError where the file is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA_KEY, "null"))
            return {name: file.get_tensor(name) for name in file.keys() if keep(name)}, metadata
    except (SafetensorError, ValueError) as error:
        raise OSError(f"{path} is damaged: {error}") from error
