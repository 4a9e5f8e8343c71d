"""One stored run; its tables and arrays are read when they are first asked for."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors import SafetensorError, safe_open

from src.errors import UserError
from src.figures.records.method import Method

SCHEMA = 1
REQUIRED = ("iteration", "remaining", "total", "percent_remaining", "retrained_accuracy", "retrained_pqi",
            "retrained_gini", "pruned_accuracy", "pruned_pqi")  # fmt: skip

FloatArray = npt.NDArray[np.float64]
Side = Literal["retrained", "pruned"]


@dataclass(frozen=True)
class LayerTable:
    """`layers.csv`: for each column an array [T+1, L]; `names` in the order of registration."""

    names: tuple[str, ...]
    columns: Mapping[str, FloatArray]

    def __getitem__(self, column: str) -> FloatArray:
        return self.columns[column]


@dataclass(frozen=True, eq=False)
class Run:
    """A run's folder. `config` is the resolved configuration; see CONTRIBUTING for the files."""

    folder: Path
    id: str
    name: str
    status: str
    iterations_done: int
    iterations_total: int
    reason: str | None
    config: Mapping[str, Any]

    @property
    def finished(self) -> bool:
        return self.status == "finished"

    @cached_property
    def method(self) -> Method:
        return Method.from_config(self.config["prune"])

    @property
    def seed(self) -> int:
        return int(self.config["seed"])

    @property
    def dataset(self) -> str:
        return str(self.config["dataset"]["name"])

    @property
    def model(self) -> str:
        return str(self.config["model"]["name"])

    @property
    def scope(self) -> str:
        return str(self.config["prune"]["scope"])

    @property
    def iterations(self) -> int:
        """T, the number of prunings."""
        return int(self.config["prune"]["iterations"])

    @cached_property
    def table(self) -> Mapping[str, FloatArray]:
        """`iterations.csv`: column -> array [T+1], NaN where not defined."""
        frame = _read_csv(self.folder / "iterations.csv").sort_values("iteration")
        if missing := [column for column in REQUIRED if column not in frame]:
            raise UserError(f"{self.folder / 'iterations.csv'} has no column {', '.join(missing)}; run it again")
        if list(frame["iteration"]) != list(range(self.iterations + 1)):
            raise UserError(
                f"{self.folder / 'iterations.csv'} should have one row for each iteration 0..{self.iterations}, "
                f"it has {list(frame['iteration'])}; remove the folder and run it again"
            )
        return {str(column): frame[column].to_numpy(np.float64) for column in frame}

    @cached_property
    def layers(self) -> LayerTable:
        """`layers.csv`, one column of each array per prunable tensor."""
        frame = _read_csv(self.folder / "layers.csv")
        names = tuple(dict.fromkeys(frame["layer"]))
        shape = (self.iterations + 1, len(names))
        if len(frame) != shape[0] * shape[1]:
            raise UserError(
                f"{self.folder / 'layers.csv'} has {len(frame)} rows for {shape[0]} iterations of {shape[1]} layers; "
                "remove the folder and run it again"
            )
        frame = frame.sort_values("iteration", kind="stable")
        numeric = [column for column in frame if column not in ("iteration", "layer")]
        return LayerTable(names, {str(c): frame[c].to_numpy(np.float64).reshape(shape) for c in numeric})

    def grid(self, side: Side, iteration: int) -> FloatArray:
        """PQ Index of the whole network over the grid: [10, 11], rows p = 0.1..1.0, columns q = 1.0..2.0."""
        return self._measures([f"iteration_{iteration}/{side}/pqi_global"]).squeeze(0)

    def layer_grids(self, side: Side) -> FloatArray:
        """PQ Index of each layer over the grid: [T+1, L, 10, 11], of pruned models [T, L, 10, 11]."""
        count = self.iterations + (side == "retrained")
        return self._measures([f"iteration_{t}/{side}/pqi_layer" for t in range(count)])

    @cached_property
    def grid_axes(self) -> tuple[FloatArray, FloatArray]:
        """The grid's p and q."""
        with self._open_measures() as file:
            metadata = json.loads((file.metadata() or {})["json"])
            return np.array(metadata["p"]), np.array(metadata["q"])

    def _measures(self, names: Sequence[str]) -> FloatArray:
        with self._open_measures() as file:
            grids: list[FloatArray] = [np.asarray(file.get_tensor(name), np.float64) for name in names]
        return np.stack(grids)

    @contextmanager
    def _open_measures(self) -> Iterator[Any]:
        """`measures.safetensors`; what is missing from it or damaged is a UserError."""
        path = self.folder / "measures.safetensors"
        try:
            with safe_open(path, framework="numpy") as file:
                yield file
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise UserError(f"{path}: {error}; remove the folder and run it again") from error


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}; remove the folder {path.parent.name} and run it again") from error
