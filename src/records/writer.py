"""The folder of a run, as it is written: its records, and where it stands."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.messages import TrainRequest
from src.records.masks import packed
from src.records.rows import epoch_rows, iteration_row, layer_rows, measure_tensors
from src.records.schema import MASKS_FILE, SCHEMA, read_status
from src.sparsity import P_GRID, Q_GRID
from src.store.files import parsed, read_rows, read_tensors, write_json, write_rows, write_tensors, write_text
from src.trajectory import Record


@dataclass(frozen=True)
class Keeps:
    """What a run keeps of its networks: masks `full` (a byte per weight), as `bits` or not, and the last weights."""

    masks: str = "full"
    weights: bool = False


@dataclass
class RunFolder:
    """Records of one run under `path`, one iteration after the other.

    Every file is replaced as a whole. `resume.safetensors` is written last and says where to go on: what an
    interrupted write left of that iteration is replaced when it is recorded again. `summary` is what `run.json` tells
    of the run besides where it stands.
    """

    path: Path
    identity: str
    iterations: int
    keeps: Keeps = Keeps()
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether every iteration is recorded."""
        state = read_status(self.path)
        return state is not None and state.get("id") == self.identity and state.get("status") == "finished"

    def open(self, config: str) -> None:
        """Make the folder and keep the resolved configuration, as YAML."""
        write_text(self.path / "config.yaml", config)
        self._status("running", self._done())

    def position(self, device: torch.device) -> TrainRequest | None:
        """The training to go on with, or None where the run has not finished an iteration."""
        try:
            tensors, meta = read_tensors(self.path / "resume.safetensors")
        except OSError:
            return None
        masks, start = (
            {name: tensors[f"{kind}/{name}"].to(device) for name in meta[kind]} for kind in ("masks", "start")
        )
        return TrainRequest(meta["iteration"], masks, start, meta["first_epoch"], meta["until"])

    def rows(self) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """The rows that are recorded of `iterations.csv`, each with its rows of `layers.csv`."""
        layers: dict[int, list[dict[str, Any]]] = {}
        for layer in map(parsed, read_rows(self.path / "layers.csv")):
            layers.setdefault(layer["iteration"], []).append(layer)
        for row in map(parsed, read_rows(self.path / "iterations.csv")):
            yield row, layers.get(row["iteration"], [])

    def write(self, record: Record) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Add the record of an iteration; what is there of it and of later ones is replaced.

        Returns its row of `iterations.csv` and its rows of `layers.csv`.
        """
        t, row, layers = record.iteration, iteration_row(record), layer_rows(record)
        self._extend_rows("iterations.csv", t, [row])
        self._extend_rows("layers.csv", t, layers)
        self._extend_rows("epochs.csv", t, epoch_rows(record))
        grid = {"p": P_GRID, "q": Q_GRID, "layers": list(record.masks)}
        self._extend_tensors("measures.safetensors", t, measure_tensors(record), grid)
        if self.keeps.masks != "none":
            shapes = {name: list(mask.shape) for name, mask in record.masks.items()}
            masks = packed(record.masks) if self.keeps.masks == "bits" else record.masks
            self._extend_tensors(MASKS_FILE, t, masks, shapes)
        if self.keeps.weights:
            self._extend_tensors("weights.safetensors", t, record.trained.last)
        if record.step is not None:
            self._resume(record.step.following)
            self._status("running", t + 1)
        return row, layers

    def finish(self) -> None:
        """Mark the run as complete."""
        self._status("finished", self.iterations + 1)
        (self.path / "resume.safetensors").unlink(missing_ok=True)

    def fail(self, reason: str) -> None:
        """Keep the reason why the run stopped; the same command tries again from where it stands."""
        self._status("failed", self._done(), reason)

    def _done(self) -> int:
        state = read_status(self.path)
        return int(state["iterations_done"]) if state and state.get("id") == self.identity else 0

    def _status(self, status: str, done: int, reason: str | None = None) -> None:
        state = {
            "schema": SCHEMA,
            "id": self.identity,
            "name": self.path.name,
            "status": status,
            "iterations_done": done,
            "iterations_total": self.iterations + 1,
            "reason": reason,
        }
        write_json(self.path / "run.json", state | self.summary)

    def _resume(self, request: TrainRequest) -> None:
        kinds = {"masks": request.masks, "start": request.start}
        tensors = {f"{kind}/{name}": tensor for kind, named in kinds.items() for name, tensor in named.items()}
        meta = {kind: list(named) for kind, named in kinds.items()}
        where = {"iteration": request.iteration, "first_epoch": request.first_epoch, "until": request.until}
        write_tensors(self.path / "resume.safetensors", tensors, meta | where)

    def _extend_rows(self, name: str, iteration: int, rows: list[dict[str, Any]]) -> None:
        path = self.path / name
        kept = [row for row in read_rows(path) if int(row["iteration"]) < iteration]
        write_rows(path, [*kept, *rows])

    def _extend_tensors(
        self, name: str, iteration: int, tensors: Mapping[str, Tensor], metadata: object = None
    ) -> None:
        path = self.path / name
        kept: dict[str, Tensor] = {}
        if iteration > 0 and path.exists():  # what was not asked for in earlier iterations is not there
            kept, _ = read_tensors(path, _earlier_than(iteration))
        write_tensors(path, kept | {f"iteration_{iteration}/{k}": v for k, v in tensors.items()}, metadata)


def _earlier_than(iteration: int) -> Callable[[str], bool]:
    return lambda name: int(name.split("/", 1)[0].removeprefix("iteration_")) < iteration
