"""The folder of a run: its records, and where it stands."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from src.requests import Position, Record
from src.sparsity import P_GRID, Q_GRID
from src.store.atomic import write_text
from src.store.files import parsed, read_rows, read_tensors, write_json, write_rows, write_tensors
from src.store.masks import MASKS_FILE, packed
from src.store.rows import epoch_rows, iteration_row, layer_rows, measure_tensors
from src.store.state import read_status

SCHEMA = 1
"""Version of the records' columns and files; readers refuse others."""


@dataclass(frozen=True)
class Keeps:
    """What a run keeps of its networks: masks `full` (a byte per weight), as `bits` or not, and the last weights."""

    masks: Literal["full", "bits", "none"] = "full"
    weights: bool = False


class RunFolder:
    """Records of one run under `path`, one iteration after the other.

    Every file is replaced as a whole. `resume.safetensors` is written last and says where to go on: what an
    interrupted write left of that iteration is replaced when it is recorded again.
    """

    def __init__(self, path: Path, identity: str, iterations: int, keeps: Keeps = Keeps()) -> None:
        self.path = path
        self.identity = identity
        self.iterations = iterations
        self.keeps = keeps

    @property
    def finished(self) -> bool:
        """Whether every iteration is recorded."""
        state = read_status(self.path)
        return state is not None and state["id"] == self.identity and state["status"] == "finished"

    def open(self, config: str) -> None:
        """Make the folder and keep the resolved configuration, as YAML."""
        write_text(self.path / "config.yaml", config)
        self._status("running", self._done())

    def position(self, device: torch.device) -> Position | None:
        """Where the run stands, or None where it has not finished an iteration."""
        try:
            tensors, meta = read_tensors(self.path / "resume.safetensors")
        except OSError:
            return None
        masks = {name: tensors[f"masks/{name}"].to(device) for name in meta["masks"]}
        buffers = {name: tensors[f"buffers/{name}"].to(device) for name in meta["buffers"]}
        return Position(meta["iteration"], masks, buffers)

    def rows(self) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """The rows that are recorded of `iterations.csv`, each with its rows of `layers.csv`."""
        layers = [parsed(row) for row in read_rows(self.path / "layers.csv")]
        for row in map(parsed, read_rows(self.path / "iterations.csv")):
            yield row, [layer for layer in layers if layer["iteration"] == row["iteration"]]

    def write(self, record: Record) -> None:
        """Add the record of an iteration; what is there of it and of later ones is replaced."""
        t = record.iteration
        self._extend_rows("iterations.csv", t, [iteration_row(record)])
        self._extend_rows("layers.csv", t, layer_rows(record))
        self._extend_rows("epochs.csv", t, epoch_rows(record))
        grid = {"p": P_GRID, "q": Q_GRID, "layers": list(record.masks)}
        self._extend_tensors("measures.safetensors", t, measure_tensors(record), grid)
        if self.keeps.masks != "none":
            shapes = {name: list(mask.shape) for name, mask in record.masks.items()}
            self._extend_tensors(
                MASKS_FILE, t, packed(record.masks) if self.keeps.masks == "bits" else record.masks, shapes
            )
        if self.keeps.weights:
            self._extend_tensors("weights.safetensors", t, record.trained.last)
        if record.following is not None:
            self._resume(record.following)
            self._status("running", t + 1)

    def finish(self) -> None:
        """Mark the run as complete."""
        self._status("finished", self.iterations + 1)
        (self.path / "resume.safetensors").unlink(missing_ok=True)

    def fail(self, reason: str) -> None:
        """Keep the reason why the run stopped; the same command tries again from where it stands."""
        self._status("failed", self._done(), reason)

    def _done(self) -> int:
        state = read_status(self.path)
        return int(state["iterations_done"]) if state else 0

    def _status(self, status: str, done: int, reason: str | None = None) -> None:
        write_json(
            self.path / "run.json",
            {
                "schema": SCHEMA,
                "id": self.identity,
                "name": self.path.name,
                "status": status,
                "iterations_done": done,
                "iterations_total": self.iterations + 1,
                "reason": reason,
            },
        )

    def _resume(self, at: Position) -> None:
        masks = {f"masks/{name}": mask for name, mask in at.masks.items()}
        buffers = {f"buffers/{name}": buffer for name, buffer in at.buffers.items()}
        meta = {"iteration": at.iteration, "masks": list(at.masks), "buffers": list(at.buffers)}
        write_tensors(self.path / "resume.safetensors", masks | buffers, meta)

    def _extend_rows(self, name: str, iteration: int, rows: list[dict[str, Any]]) -> None:
        path = self.path / name
        kept = [row for row in read_rows(path) if int(row["iteration"]) < iteration]
        write_rows(path, [*kept, *rows])

    def _extend_tensors(
        self, name: str, iteration: int, tensors: Mapping[str, Tensor], metadata: object = None
    ) -> None:
        path = self.path / name
        kept: dict[str, Tensor] = {}
        if iteration > 0:
            kept, _ = read_tensors(path, _earlier_than(iteration))
        write_tensors(path, kept | {f"iteration_{iteration}/{k}": v for k, v in tensors.items()}, metadata)


def _earlier_than(iteration: int) -> Callable[[str], bool]:
    return lambda name: int(name.split("/", 1)[0].removeprefix("iteration_")) < iteration
