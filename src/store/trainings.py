"""Trainings on disk, finished or interrupted, under their identity."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.files import remove_parts, replace, sync
from src.messages import Epoch, Performance, Trained
from src.store.locks import acquire
from src.store.tensors import read_tensors, write_tensors
from src.training.state import Snapshot, TrainingState

log = logging.getLogger(__name__)


FILE_BYTES = 32_000_000
"""Checkpoints of a stack's members come together in files of about this size."""

MEASURED_ON = ("train", "test", "selection")
"""Images that an epoch's performances are of."""

MEMBERS = "members"
"""Under which a file of several checkpoints tells of each what a file of one tells."""


@dataclass(frozen=True)
class Origin:
    """What a training belongs to: the hash of its settings, and the iteration. For those who tidy up."""

    spec: str
    iteration: int


@dataclass(frozen=True)
class _Partial:
    """A checkpoint as it is stored."""

    identity: str
    tensors: dict[str, Tensor]
    meta: dict[str, Any]

    @classmethod
    def of(cls, identity: str, state: TrainingState, origin: Origin) -> "_Partial":
        tensors = {f"optimizer/{name}": tensor for name, tensor in state.optimizer.items()}
        tensors |= _tensors(state.current, "current")
        best_is_current = state.best is state.current
        if not best_is_current:
            tensors |= _tensors(state.best, "best")
        meta = {
            "id": identity,
            **asdict(origin),
            "best_is_current": best_is_current,
            "best_epoch": state.best_epoch,
            "best_correct": state.best_correct,
            "history": _rows(state.history),
        }
        return cls(identity, tensors, meta)

    @property
    def bytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors.values())


class TrainingStore:
    """One name per training under `root`: `<id>.safetensors`, or `<id>.partial.safetensors` before its end."""

    def __init__(self, root: Path, device: torch.device) -> None:
        self.root = root
        self.device = device
        self._told = False
        self._shared: tuple[tuple[int, ...], dict[str, Tensor], dict[str, Any]] | None = None

    def load(self, identity: str) -> Trained | None:
        """The finished training, or None; a damaged file counts as none."""
        found = self._read(self._finished(identity), id=identity)
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
        history = _rows(trained.history)
        meta = {"id": identity, **asdict(origin), "order": order, "best_epoch": trained.best_epoch, "history": history}
        if self._write(self._finished(identity), tensors, meta):
            self.discard_partial(identity)

    def load_partial(self, identity: str) -> TrainingState | None:
        """The checkpoint of an interrupted training, or None."""
        path = self._partial(identity)
        remove_parts(path.parent, identity)
        found = self._member(path, identity)
        if found is None:
            return None
        tensors, meta = found
        current = _snapshot(tensors, "current")
        best = current if meta["best_is_current"] else _snapshot(tensors, "best")
        history = _history(meta["history"])
        optimizer = _select(tensors, "optimizer")
        return TrainingState(current, optimizer, best, meta["best_epoch"], meta["best_correct"], history)

    def save_partials(self, states: Iterable[tuple[str, TrainingState, Origin]]) -> None:
        """Keep states between two epochs, of several small ones a file, which each of them has under its own name."""
        together: list[_Partial] = []
        size = 0
        for identity, state, origin in states:
            together.append(_Partial.of(identity, state, origin))
            size += together[-1].bytes
            if size >= FILE_BYTES:
                self._save_together(together)
                together, size = [], 0
        if together:
            self._save_together(together)

    def _save_together(self, partials: Sequence[_Partial]) -> None:
        first, others = partials[0], partials[1:]
        if not others:
            self._write(self._partial(first.identity), first.tensors, first.meta)
            return
        tensors = {f"{p.identity}/{name}": tensor for p in partials for name, tensor in p.tensors.items()}
        if not self._write(self._partial(first.identity), tensors, {MEMBERS: {p.identity: p.meta for p in partials}}):
            return
        try:
            for other in others:
                replace(self._partial(other.identity), partial(os.link, self._partial(first.identity)))
            sync(self._partial(others[-1].identity).parent)  # the journal has the names before it, too
        except OSError:  # as on a file system where a file has one name
            for p in partials:
                self._save_together([p])

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

    def _member(self, path: Path, identity: str) -> tuple[dict[str, Tensor], Any] | None:
        """Tensors and metadata of a training in a file that may be of several; of these the last one is remembered."""
        try:
            stat = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        inode = stat.st_dev, stat.st_ino, stat.st_mtime_ns
        if self._shared is None or self._shared[0] != inode:
            found = self._read(path, sealed=True)
            if found is None:
                return None
            tensors, meta = found
            members = meta.get(MEMBERS)
            if members is None:
                return (tensors, meta) if meta.get("id") == identity else self._read(path, id=identity)
            self._shared = inode, tensors, members
        _, tensors, members = self._shared
        return (_select(tensors, identity), members[identity]) if identity in members else self._read(path, id=identity)

    def _read(self, path: Path, **about: Any) -> tuple[dict[str, Tensor], Any] | None:
        try:
            tensors, meta = read_tensors(path, **about)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            log.warning("%s; what it holds is trained again", error)
            return None
        return {name: tensor.to(self.device) for name, tensor in tensors.items()}, meta

    def _write(self, path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> bool:
        """Keep what could be trained again: where the disk does not take it, the run goes on."""
        try:
            write_tensors(path, tensors, meta, durable=True)
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


def _rows(history: Iterable[Epoch]) -> list[dict[str, Any]]:
    """As `dataclasses.asdict`, which takes most of the time that small trainings take to be kept."""
    return [{**vars(epoch), **{part: vars(getattr(epoch, part)) for part in MEASURED_ON}} for epoch in history]


def _history(rows: list[dict[str, Any]]) -> list[Epoch]:
    return [Epoch(**{**row, **{part: Performance(**row[part]) for part in MEASURED_ON}}) for row in rows]
