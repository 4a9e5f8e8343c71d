"""What is recorded while a run goes on, a file for each iteration: sealed, and there whole or not at all.

`iterations/<t>.safetensors` holds all of iteration t, its rows of the tables included, and
`iterations/<t>.start.safetensors` the training that iteration t begins with; of those before the last without what the
run itself begins with, and not at all where that is most of it (but for the last but one).
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.config.schema import RecordConfig
from src.errors import UserError
from src.files import Pace, sync
from src.library.compressed import compress, packed, unpacked
from src.messages import State, TrainRequest
from src.records.rows import measure_tensors
from src.records.schema import MASKS_FILE, MEASURES_FILE, NETWORKS_FILE, PIECES, TABLES, WEIGHTS_FILE
from src.sparsity import P_GRID, Q_GRID
from src.store.digest import tensors_digest
from src.store.tensors import read_tensors, stored_bytes, write_tensors
from src.trajectory import Record

log = logging.getLogger(__name__)

PACE = Pace(0.01)
"""How often records wait for the disk: always, but where iterations take less than some seconds."""


def kept_files(keeps: RecordConfig) -> list[str]:
    """Those that a run ends in; a piece's tensors are below the stems of their names."""
    kept = {MASKS_FILE: keeps.masks != "none", WEIGHTS_FILE: keeps.weights, NETWORKS_FILE: keeps.networks}
    return [MEASURES_FILE, *(name for name, wanted in kept.items() if wanted)]


class Pieces:
    """The pieces of the run `identity`, which begins with the state `initial`, in its folder."""

    def __init__(self, run_folder: Path, identity: str, initial: State) -> None:
        self.folder = run_folder / PIECES
        self._identity = identity
        self._initial = initial
        self._numbers = tensors_digest(initial)

    def path(self, iteration: int) -> Path:
        """The record of an iteration."""
        return self.folder / f"{iteration}.safetensors"

    def whole(self, most: int, keeps: RecordConfig) -> int:
        """How many iterations are recorded without a gap or damage; it is told what they lack of what is kept now."""
        done, lacking = 0, dict.fromkeys(set(kept_files(keeps)) - {NETWORKS_FILE}, 0)
        while done < most and (piece := self.read(self.path(done), iteration=done)):
            stems = {name.split("/", 1)[0] for name in piece[0]}
            lacking = {name: count + (Path(name).stem not in stems) for name, count in lacking.items()}
            done += 1
        for name, count in lacking.items():
            if count:
                log.info("%s: %s will lack %d iterations, as they were recorded", self.folder.parent.name, name, count)
        return done

    def start(self, iteration: int, device: torch.device) -> TrainRequest | None:
        """The training that an iteration begins with, where it is known.

        Raises UserError where the run began with another initial state.
        """
        found = self.read(self._start(iteration), iteration=iteration)
        if found is None:
            return None
        tensors, meta = found
        if meta.get("initial", self._numbers) != self._numbers:
            raise UserError(
                f"{self.folder.parent}: its model begins with other numbers than this run began with: draw them from "
                "PyTorch's generator, or remove the folder"
            )
        masks = {
            name: unpacked(tensors[f"masks/{name}"], self._initial[name].shape).to(device) for name in meta["masks"]
        }
        start = {name: tensors.get(f"start/{name}", self._initial[name]).to(device) for name in meta["start"]}
        return TrainRequest(iteration, masks, start, meta["first_epoch"], meta["until"])

    def read(self, path: Path, **about: Any) -> tuple[dict[str, Tensor], Any] | None:
        """The content of a file of this run, or None where it is missing or damaged, which is said."""
        try:
            return read_tensors(path, id=self._identity, **about)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("%s; what depends on it is done again", error)
            return None

    def tables(self, done: int) -> list[bytes]:
        """For each iteration its rows of each of `TABLES`, one after the other; those of the first with a header."""
        names = [f"measures/{table}" for table in TABLES]
        return [rows for t in range(done) for rows in stored_bytes(self.path(t), names)]

    def write(self, record: Record, tables: Mapping[str, str], keeps: RecordConfig) -> None:
        """Add an iteration, and the start of the next."""
        if not self.folder.is_dir():
            raise FileNotFoundError(2, "it was removed while the run went on", str(self.folder.parent))
        t = record.iteration
        with PACE.turn() as due:
            self._write_record(record, tables, keeps)
            if record.step is not None:
                self._write_start(record.step.following)
            if due:
                sync(*(path for path in (self.path(t), self._start(t + 1), self.folder) if path.exists()))
        own = {name: tensor for name, tensor in record.request.start.items() if not _same(tensor, self._initial[name])}
        if t > 0 and 2 * _bytes(own) < _bytes(record.request.start):
            self._write_start(record.request, own)
        else:
            self._start(t - 1).unlink(missing_ok=True)

    def forget_after(self, done: int) -> None:
        """Remove what is not of the first `done` iterations, nor needed to go on with them."""
        needed = {self.path(t) for t in range(done)} | {self._start(t) for t in range(done + 1)}
        for path in set(self.folder.iterdir()) - needed:
            path.unlink()

    def _write_record(self, record: Record, tables: Mapping[str, str], keeps: RecordConfig) -> None:
        rows = {name: torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8) for name, text in tables.items()}
        kept = {"measures": {**rows, **measure_tensors(record)}}
        if keeps.masks != "none":
            kept["masks"] = _bits(record.masks) if keeps.masks == "bits" else dict(record.masks)
        if keeps.weights:
            kept["weights"] = dict(record.trained.last)
        shapes: dict[str, list[int]] = {}
        if keeps.networks:
            kept["networks"], shapes = compress(record.network)
        about = {
            "networks": shapes,
            "id": self._identity,
            "iteration": record.iteration,
            "measures": {"p": P_GRID, "q": Q_GRID, "layers": list(record.masks)},
            "masks": {name: list(mask.shape) for name, mask in record.masks.items()},
        }
        write_tensors(self.path(record.iteration), _below(kept), about)

    def _write_start(self, request: TrainRequest, own: Mapping[str, Tensor] | None = None) -> None:
        """`own`: what of the starting state is to be kept, and masks as bits; None: all as it is."""
        kept = {"masks": dict(request.masks), "start": dict(request.start)}
        where = {"iteration": request.iteration, "first_epoch": request.first_epoch, "until": request.until}
        whose = {"id": self._identity, "initial": self._numbers}
        about = {**whose, **where, **{kind: list(named) for kind, named in kept.items()}}
        if own is not None:
            kept = {"masks": _bits(request.masks), "start": dict(own)}
        write_tensors(self._start(request.iteration), _below(kept), about)

    def _start(self, iteration: int) -> Path:
        return self.folder / f"{iteration}.start.safetensors"


def _below(kinds: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{kind}/{name}": tensor for kind, named in kinds.items() for name, tensor in named.items()}


def _bits(masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: packed(mask) for name, mask in masks.items()}


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same bit for bit."""
    bits = [tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (one, other)]
    return (one.dtype, one.shape) == (other.dtype, other.shape) and torch.equal(*bits)


def _bytes(state: State) -> int:
    return sum(tensor.nbytes for tensor in state.values())
