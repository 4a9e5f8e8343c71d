"""The folder of a run, as it is written: its records, and where it stands.

While a run goes on, `iterations/<t>.safetensors` holds all that is recorded of iteration t, its rows of the tables
included, and `iterations/<t>.start.safetensors` the training that iteration t begins with, of the last two. Each is
there whole or not at all, and sealed. The tables beside them are copies that rows are appended to. When the run has
ended, the files that the README names are made of it, and the folder goes.
"""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.files import remove_parts, sync
from src.messages import TrainRequest
from src.records.integrity import stamps
from src.records.masks import packed
from src.records.rows import epoch_rows, iteration_row, layer_rows, measure_tensors
from src.records.schema import (
    CONFIG_FILE,
    ITERATIONS_FILE,
    LAYERS_FILE,
    MASKS_FILE,
    MEASURES_FILE,
    PIECES,
    RUN_FILE,
    SCHEMA,
    TABLES,
    WEIGHTS_FILE,
)
from src.sparsity import P_GRID, Q_GRID
from src.store.files import Pace, csv_text, parsed, read_rows, write_json, write_text
from src.store.tensors import join_tensors, read_tensors, stored_bytes, write_tensors
from src.trajectory import Record

log = logging.getLogger(__name__)

JOINED = (MEASURES_FILE, MASKS_FILE, WEIGHTS_FILE)
"""Files that are made of all iterations' tensors; a piece's tensors are below the stems of their names."""

PACE = Pace(0.01)
"""How often records wait for the disk: always, but where iterations take less than some seconds."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Keeps:
    """What a run keeps of its networks: masks `full` (a byte per weight), as `bits` or not, and the last weights."""

    masks: str = "full"
    weights: bool = False

    @property
    def files(self) -> list[str]:
        """Of `JOINED`, those that there will be."""
        return [MEASURES_FILE, *[MASKS_FILE] * (self.masks != "none"), *[WEIGHTS_FILE] * self.weights]


@dataclass
class RunFolder:
    """Records of one run under `path`, one iteration after the other.

    `done` of its T + 1 iterations are recorded. `summary` is what `run.json` tells of the run besides where it stands.
    """

    path: Path
    identity: str
    iterations: int
    keeps: Keeps = Keeps()
    summary: dict[str, Any] = field(default_factory=dict)
    done: int = 0
    _joined: bool = False

    @property
    def complete(self) -> bool:
        """Whether every iteration is recorded."""
        return self.done > self.iterations

    def open(self, config: str, device: torch.device) -> TrainRequest | None:
        """Make the folder and keep the resolved configuration, as YAML; the training to go on with.

        That is None where the run begins, or is complete. What is damaged, and what follows it, is recorded again.
        """
        folder = self.path / PIECES
        folder.mkdir(parents=True, exist_ok=True)
        remove_parts(self.path)
        remove_parts(folder)
        write_text(self.path / CONFIG_FILE, config)
        self._joined = self._is_joined()
        start = None if self._joined else self._go_on(device)
        self.done = self.iterations + 1 if self._joined else self.done
        self._write_tables()
        self._status("running")
        return start

    def rows(self) -> Iterator[tuple[Row, list[Row]]]:
        """The rows that are recorded of `iterations.csv`, each with its rows of `layers.csv`."""
        layers: dict[int, list[Row]] = {}
        for layer in map(parsed, read_rows(self.path / LAYERS_FILE)):
            layers.setdefault(layer["iteration"], []).append(layer)
        for row in map(parsed, read_rows(self.path / ITERATIONS_FILE)):
            yield row, layers.get(row["iteration"], [])

    def write(self, record: Record) -> tuple[Row, list[Row]]:
        """Add the record of an iteration; returns its row of `iterations.csv` and its rows of `layers.csv`."""
        t, row, layers = record.iteration, iteration_row(record), layer_rows(record)
        texts = [csv_text(rows, header=t == 0) for rows in ([row], layers, epoch_rows(record))]
        tables = dict(zip(TABLES, texts, strict=True))
        if not self._piece(t).parent.is_dir():
            raise FileNotFoundError(2, "it was removed while the run went on", str(self.path))
        with PACE.turn() as due:
            self._write_piece(record, tables)
            if record.step is not None:
                self._write_start(record.step.following)
            if due:
                written = [self._piece(t), self._start(t + 1), self._piece(t).parent]
                sync(*(path for path in written if path.exists()))
        self._start(t - 1).unlink(missing_ok=True)
        for name, text in tables.items():
            with (self.path / name).open("ab") as file:
                file.write(text.encode())
        self.done = t + 1
        self._status("running")
        return row, layers

    def finish(self) -> None:
        """Make the files that all of it ends in, and mark the run as complete."""
        if not self._joined:
            self._write_tables()
            parts = {f"iteration_{t}": self._piece(t) for t in range(self.done)}
            for name in JOINED:
                path = self.path / name
                if not join_tensors(path, parts, path.stem, {"id": self.identity}):
                    path.unlink(missing_ok=True)
        sync(*(self.path / name for name in (*TABLES, *JOINED) if (self.path / name).exists()))
        self._status("finished")
        shutil.rmtree(self.path / PIECES, ignore_errors=True)

    def fail(self, reason: str) -> None:
        """Keep the reason why the run stopped; the same command tries again from where it stands."""
        self._status("failed", reason)

    def _is_joined(self) -> bool:
        """Whether the files that a run ends in are all there and whole: only what is beside them was not."""
        found = [self._read(self.path / name) for name in self.keeps.files if (self.path / name).exists()]
        if len(found) < len(self.keeps.files) or None in found:
            return False
        return f"iteration_{self.iterations}/{ITERATIONS_FILE}" in found[0][0]  # type: ignore[index]

    def _go_on(self, device: torch.device) -> TrainRequest | None:
        """The training after the last iteration that is whole and known where to go on from; sets `done`."""
        self.done, lacking = 0, dict.fromkeys(self.keeps.files, 0)
        while self.done <= self.iterations and (piece := self._read(self._piece(self.done), iteration=self.done)):
            stems = {name.split("/", 1)[0] for name in piece[0]}
            lacking = {name: count + (Path(name).stem not in stems) for name, count in lacking.items()}
            self.done += 1
        for name in (name for name, count in lacking.items() if count):
            log.info("%s: %s will be without %d iterations, recorded without it", self.path.name, name, lacking[name])
        while not self.complete and self.done > 0:
            if found := self._read(self._start(self.done), iteration=self.done):
                tensors, meta = found
                masks, start = ({name: tensors[f"{kind}/{name}"].to(device) for name in meta[kind]} for kind in _KINDS)
                return TrainRequest(self.done, masks, start, meta["first_epoch"], meta["until"])
            self.done = self.done - 1 if self._start(self.done - 1).exists() else 0
        return None

    def _read(self, path: Path, **about: object) -> tuple[dict[str, Tensor], Any] | None:
        """The content of a file of this run, or None where it is missing or damaged, which is said."""
        try:
            return read_tensors(path, id=self.identity, **about)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("%s; what depends on it is done again", error)
            return None

    def _write_piece(self, record: Record, tables: dict[str, str]) -> None:
        tensors: dict[str, Tensor] = {
            **{name: torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8) for name, text in tables.items()},
            **measure_tensors(record),
        }
        kept = {"measures": tensors}
        if self.keeps.masks != "none":
            kept["masks"] = packed(record.masks) if self.keeps.masks == "bits" else dict(record.masks)
        if self.keeps.weights:
            kept["weights"] = dict(record.trained.last)
        about = {
            "id": self.identity,
            "iteration": record.iteration,
            "measures": {"p": P_GRID, "q": Q_GRID, "layers": list(record.masks)},
            "masks": {name: list(mask.shape) for name, mask in record.masks.items()},
        }
        write_tensors(self._piece(record.iteration), _below(kept), about)

    def _write_start(self, request: TrainRequest) -> None:
        kinds = {"masks": dict(request.masks), "start": dict(request.start)}
        where = {"iteration": request.iteration, "first_epoch": request.first_epoch, "until": request.until}
        about = {"id": self.identity, **where, **{kind: list(named) for kind, named in kinds.items()}}
        write_tensors(self._start(request.iteration), _below(kinds), about)

    def _write_tables(self) -> None:
        """The tables of what is recorded, as they were."""
        if self._joined:
            names = [f"iteration_{t}/{table}" for t in range(self.done) for table in TABLES]
            rows = stored_bytes(self.path / MEASURES_FILE, names)
        else:
            names = [f"measures/{table}" for table in TABLES]
            rows = [text for t in range(self.done) for text in stored_bytes(self._piece(t), names)]
        for place, name in enumerate(TABLES):
            text = b"".join(rows[place :: len(TABLES)]).decode()
            write_text(self.path / name, text) if text else (self.path / name).unlink(missing_ok=True)

    def _status(self, status: str, reason: str | None = None) -> None:
        finished = status == "finished"
        state = {
            "schema": SCHEMA,
            "id": self.identity,
            "name": self.path.name,
            "status": status,
            "iterations_done": self.done,
            "iterations_total": self.iterations + 1,
            "reason": reason,
            "files": stamps(self.path, (*TABLES, *JOINED)) if finished else {},
        }
        write_json(self.path / RUN_FILE, state | self.summary, durable=finished)

    def _piece(self, iteration: int) -> Path:
        return self.path / PIECES / f"{iteration}.safetensors"

    def _start(self, iteration: int) -> Path:
        return self.path / PIECES / f"{iteration}.start.safetensors"


_KINDS = ("masks", "start")


def _below(kinds: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{kind}/{name}": tensor for kind, named in kinds.items() for name, tensor in named.items()}
