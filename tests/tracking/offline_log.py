"""What a W&B run really wrote: its .wandb file, a log of protobuf records in LevelDB's framing."""

import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2 as pb

BLOCK, HEADER = 32768, 7


@dataclass
class Logged:
    """History rows, nested config, (metric, x axis) pairs, exit code (None while it runs), artifacts' files."""

    run: Any = None
    history: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    axes: dict[str, str] = field(default_factory=dict)
    exit_code: int | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, list[str]] = field(default_factory=dict)

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.history if name in row]


PATIENCE_S = 3.0
"""W&B's own process, which writes the file after the run has ended, may wait for a core this long."""


def read_log(run_folder: Path) -> Logged:
    """Everything in the one .wandb file of a run's folder, once its end is there or nothing is added any more."""
    logged, size, since = Logged(), -1, time.monotonic()
    while logged.exit_code is None and time.monotonic() < since + PATIENCE_S:
        paths = list(run_folder.glob("run-*.wandb"))
        if paths and (found := paths[0].stat().st_size) > max(size, HEADER):
            logged, size, since = _read(paths[0]), found, time.monotonic()
        time.sleep(0.02)
    return logged


def _read(path: Path) -> Logged:
    logged = Logged()
    for record in _records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            logged.run = record.run
            logged.config |= _items(record.run.config.update)
        elif kind == "history":
            logged.history.append(_items(record.history.item))
        elif kind == "metric":
            logged.axes[record.metric.name or record.metric.glob_name] = record.metric.step_metric
        elif kind == "summary":
            logged.summary |= _items(record.summary.update)
        elif kind == "artifact" or record.request.WhichOneof("request_type") == "log_artifact":
            artifact = record.artifact if kind == "artifact" else record.request.log_artifact.artifact
            logged.artifacts[artifact.name] = [entry.path for entry in artifact.manifest.contents]
        elif kind == "exit":
            logged.exit_code = record.exit.exit_code
    return logged


def offline_runs(folder: Path) -> list[Path]:
    """The offline parts under `folder`, oldest first."""
    return sorted(folder.glob("wandb/offline-run-*"))


def _items(items: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        *outer, last = item.nested_key or [item.key]
        place = found
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = json.loads(item.value_json)
    return found


def _records(path: Path) -> Iterator[Any]:
    data = path.read_bytes()
    assert data[:4] == b":W&B"
    position, buffer = HEADER, b""
    while position + HEADER <= len(data):
        left = BLOCK - position % BLOCK
        if left < HEADER:
            position += left
            continue
        _, size, kind = struct.unpack("<IHB", data[position : position + HEADER])
        buffer += data[position + HEADER : position + HEADER + size]
        position += HEADER + size
        if position > len(data):  # of which a piece is not written yet
            return
        if kind in (1, 4):  # a whole record, or the last piece of one
            record = pb.Record()
            record.ParseFromString(buffer)
            buffer = b""
            yield record
