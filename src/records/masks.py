"""Masks of a run on disk: a byte per weight that any reader understands, or a bit."""

from pathlib import Path

from torch import Tensor

from src.library.compressed import unpacked
from src.records.schema import MASKS_FILE, read_status
from src.store.tensors import read_tensors


def read_masks(run_folder: Path) -> dict[str, Tensor]:
    """All masks of a run, bool tensors by `iteration_<t>/<weight>`, whichever way they were kept.

    Raises OSError where there are none, or a damaged file.
    """
    state = read_status(run_folder)
    tensors, shapes = read_tensors(run_folder / MASKS_FILE, **({"id": state["id"]} if state and state["files"] else {}))
    return {name: unpacked(tensor, shapes[name.split("/", 1)[1]]) for name, tensor in tensors.items()}
