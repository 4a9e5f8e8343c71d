"""The folder of a run, as it is written: its records, and where it stands.

While a run goes on, its records are in pieces, one an iteration, and the tables are copies that rows are appended to.
When it has ended, the files that the README names are made of the pieces, and these go.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from src.files import csv_text, parsed, read_rows, remove_parts, sync, write_json, write_text
from src.messages import State, TrainRequest
from src.records.integrity import stamps
from src.records.objective import kept_iterations
from src.records.pieces import Pieces, kept_files
from src.records.rows import epoch_rows, iteration_row, layer_rows
from src.records.schema import (
    CONFIG_FILE,
    ITERATIONS_FILE,
    JOINED,
    MEASURES_FILE,
    NETWORKS_FILE,
    RUN_FILE,
    SCHEMA,
    TABLES,
)
from src.run import Run
from src.store.tensors import join_tensors, stored_bytes
from src.trajectory import Record

Row = dict[str, Any]


class RunFolder:
    """Records of a run in its folder, one iteration after the other.

    `done` of its T + 1 iterations are recorded. `initial` is the state that it begins with, `summary` what `run.json`
    tells of it besides where it stands.
    """

    def __init__(self, run: Run, initial: State, summary: dict[str, Any]) -> None:
        self.path = run.folder
        self.pieces = Pieces(run.folder, run.identity, initial)
        self.summary = summary
        self.done = 0
        self._identity, self._iterations, self._keeps = run.identity, run.iterations, run.config.record
        self._joined = False
        self._accuracies: list[float] = []

    @property
    def complete(self) -> bool:
        """Whether every iteration is recorded."""
        return self.done > self._iterations

    def open(self, config: str, device: torch.device) -> TrainRequest | None:
        """Make the folder and keep the resolved configuration, as YAML; the training to go on with.

        That is None where the run begins, or is complete. What is damaged, and what follows it, is recorded again.
        """
        self.pieces.folder.mkdir(parents=True, exist_ok=True)
        remove_parts(self.path)
        write_text(self.path / CONFIG_FILE, config)
        self._joined = self._is_joined()
        self.done = self._iterations + 1 if self._joined else self.pieces.whole(self._iterations + 1, self._keeps)
        start = None
        while not self.complete and self.done > 0 and (start := self.pieces.start(self.done, device)) is None:
            self.done -= 1
        self.pieces.forget_after(self.done)
        self._write_tables()
        self._accuracies = [rows[0]["retrained_accuracy"] for rows, _, _ in self.rows()]
        self._status("running")
        return start

    def rows(self) -> Iterator[tuple[list[Row], list[Row], list[Row]]]:
        """For each iteration that is recorded its rows of each of `TABLES`."""
        found: list[list[list[Row]]] = [[[] for _ in TABLES] for _ in range(self.done)]
        for place, name in enumerate(TABLES):
            for row in map(parsed, read_rows(self.path / name)):
                found[row["iteration"]][place].append(row)
        yield from ((rows, layers, epochs) for rows, layers, epochs in found)

    def write(self, record: Record) -> tuple[Row, list[Row]]:
        """Add the record of an iteration; returns its row of `iterations.csv` and its rows of `layers.csv`."""
        t, row, layers = record.iteration, iteration_row(record), layer_rows(record)
        texts = [csv_text(rows, header=t == 0) for rows in ([row], layers, epoch_rows(record))]
        tables = dict(zip(TABLES, texts, strict=True))
        self._accuracies = [*self._accuracies[:t], row["retrained_accuracy"]]
        may_stay = t in kept_iterations(self._accuracies)
        self.pieces.write(record, tables, replace(self._keeps, networks=self._keeps.networks and may_stay))
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
            parts = {f"iteration_{t}": self.pieces.path(t) for t in range(self.done)}
            kept = {f"iteration_{t}": self.pieces.path(t) for t in sorted(kept_iterations(self._accuracies))}
            for name in JOINED:
                path, chosen = self.path / name, kept if name == NETWORKS_FILE else parts
                if not join_tensors(path, chosen, path.stem, {"id": self._identity}):
                    path.unlink(missing_ok=True)
        sync(*(self.path / name for name in (CONFIG_FILE, *TABLES, *JOINED) if (self.path / name).exists()))
        self._status("finished")
        shutil.rmtree(self.pieces.folder, ignore_errors=True)

    def fail(self, reason: str) -> None:
        """Keep the reason why the run stopped; the same command tries again from where it stands."""
        self._status("failed", reason)

    def _is_joined(self) -> bool:
        """Whether the files that a run ends in are all there and whole: only what is beside them was not."""
        paths = [self.path / name for name in kept_files(self._keeps)]
        if not all(path.exists() for path in paths):
            return False
        found = [names for path in paths if (names := self.pieces.read(path)) is not None]
        return len(found) == len(paths) and f"iteration_{self._iterations}/{ITERATIONS_FILE}" in found[0][0]

    def _write_tables(self) -> None:
        """The tables of what is recorded, as they were."""
        if self._joined:
            names = [f"iteration_{t}/{table}" for t in range(self.done) for table in TABLES]
            rows = stored_bytes(self.path / MEASURES_FILE, names)
        else:
            rows = self.pieces.tables(self.done)
        for place, name in enumerate(TABLES):
            text = b"".join(rows[place :: len(TABLES)]).decode()
            write_text(self.path / name, text) if text else (self.path / name).unlink(missing_ok=True)

    def _status(self, status: str, reason: str | None = None) -> None:
        finished = status == "finished"
        state = {
            "schema": SCHEMA,
            "id": self._identity,
            "name": self.path.name,
            "status": status,
            "iterations_done": self.done,
            "iterations_total": self._iterations + 1,
            "reason": reason,
            "files": stamps(self.path, (CONFIG_FILE, *TABLES, *JOINED)) if finished else {},
        }
        write_json(self.path / RUN_FILE, state | self.summary, durable=finished)
