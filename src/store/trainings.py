"""Trainings on disk, finished or interrupted, under their identity."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.files import remove_parts
from src.messages import Epoch, Performance, Trained
from src.store.locks import acquire
from src.store.tensors import read_tensors, write_tensors
from src.training.state import Snapshot, TrainingState

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """What a training belongs to: the hash of its settings, and the iteration. For those who tidy up."""

    spec: str
    iteration: int


class TrainingStore:
    """One file per training under `root`: `<id>.safetensors`, or `<id>.partial.safetensors` before its end."""

    def __init__(self, root: Path, device: torch.device) -> None:
        self.root = root
        self.device = device
        self._told = False

    def load(self, identity: str) -> Trained | None:
        """The finished training, or None; a damaged file counts as none."""
        found = self._read(self._finished(identity), identity)
        if found is None:
            return None
        tensors, meta = found
        last, best = ({name: tensors[f"{which}/{name}"] for name in meta["order"] if f"{which}/{name}" in tensors}
                      for which in ("last", "best"))  # fmt: skip
        return Trained(best or last, last, meta["best_epoch"], _history(meta["history"]))

    def has(self, identity: str) -> bool:
        """Whether a training is finished."""
        return self._finished(identity).exists()

    def save(self, identity: str, trained: Trained, origin: Origin) -> None:
        """Keep a finished training."""
        states = {"last": trained.last}
        order = list(trained.last)
        if trained.best_epoch != trained.history[-1].epoch:
            states["best"] = trained.best
        tensors = {f"{which}/{name}": tensor for which, state in states.items() for name, tensor in state.items()}
        history = [asdict(epoch) for epoch in trained.history]
        meta = {"id": identity, **asdict(origin), "order": order, "best_epoch": trained.best_epoch, "history": history}
        if self._write(self._finished(identity), tensors, meta):
            self.discard_partial(identity)

    def load_partial(self, identity: str) -> TrainingState | None:
        """The checkpoint of an interrupted training, or None."""
        path = self._partial(identity)
        remove_parts(path.parent, identity)
        found = self._read(path, identity)
        if found is None:
            return None
        tensors, meta = found
        current = _snapshot(tensors, "current")
        best = current if meta["best_is_current"] else _snapshot(tensors, "best")
        history = _history(meta["history"])
        optimizer = _select(tensors, "optimizer")
        return TrainingState(current, optimizer, best, meta["best_epoch"], meta["best_correct"], history)

    def save_partial(self, identity: str, state: TrainingState, origin: Origin, durable: bool = True) -> None:
        """Keep the state between two epochs; not `durable`: a power cut may cost it."""
        best_is_current = state.best is state.current
        tensors = {f"optimizer/{name}": tensor for name, tensor in state.optimizer.items()}
        tensors |= _tensors(state.current, "current")
        if not best_is_current:
            tensors |= _tensors(state.best, "best")
        meta = {
            "id": identity,
            **asdict(origin),
            "best_is_current": best_is_current,
            "best_epoch": state.best_epoch,
            "best_correct": state.best_correct,
            "history": [asdict(epoch) for epoch in state.history],
        }
        self._write(self._partial(identity), tensors, meta, durable)

    def discard(self, identity: str) -> None:
        """Forget a finished training."""
        with suppress(OSError):
            self._finished(identity).unlink()

    def discard_partial(self, identity: str) -> None:
        """Forget the checkpoint of a training."""
        with suppress(OSError):
            self._partial(identity).unlink()

    def lock(self, identity: str, until: ExitStack) -> bool:
        """Lock a training until `until` closes; False where another process is at it."""
        return acquire(self.root.parent / "locks" / f"{identity}.lock", until)

    def _read(self, path: Path, identity: str) -> tuple[dict[str, Tensor], Any] | None:
        try:
            tensors, meta = read_tensors(path, id=identity)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            log.warning("%s; it is trained again", error)
            return None
        return {name: tensor.to(self.device) for name, tensor in tensors.items()}, meta

    def _write(self, path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any], durable: bool = True) -> bool:
        """Keep what could be trained again: where the disk does not take it, the run goes on."""
        try:
            write_tensors(path, tensors, meta, durable)
            return True
        except OSError as error:
            if not self._told:
                log.warning("%s cannot be written (%s): this training cannot be gone on with", path, error.strerror)
            self._told = True
            return False

    def _finished(self, identity: str) -> Path:
        return self.root / identity[:2] / f"{identity}.safetensors"

    def _partial(self, identity: str) -> Path:
        return self.root / identity[:2] / f"{identity}.partial.safetensors"


def _select(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{prefix}/"): t for name, t in tensors.items() if name.startswith(f"{prefix}/")}


def _tensors(snapshot: Snapshot, prefix: str) -> dict[str, Tensor]:
    buffers = {f"{prefix}/buffers/{name}": tensor for name, tensor in snapshot.buffers.items()}
    return {f"{prefix}/parameters": snapshot.parameters, **buffers}


def _snapshot(tensors: Mapping[str, Tensor], prefix: str) -> Snapshot:
    return Snapshot(tensors[f"{prefix}/parameters"], _select(tensors, f"{prefix}/buffers"))


def _history(rows: list[dict[str, Any]]) -> list[Epoch]:
    return [
        Epoch(
            row["epoch"],
            row["learning_rate"],
            Performance(**row["train"]),
            Performance(**row["test"]),
            Performance(**row["selection"]),
        )
        for row in rows
    ]
