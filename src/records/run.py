"""One stored run; its tables and arrays are read when they are first asked for."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml  # type: ignore[import-untyped]

from src.errors import UserError
from src.records.csv_table import FloatArray, numbers, read_columns
from src.records.method import Method
from src.records.schema import CONFIG_FILE, ITERATIONS_FILE, LAYERS_FILE, MEASURES_FILE, RUN_FILE, SCHEMA

Side = Literal["retrained", "pruned"]
AGAIN = "remove the folder and run it again"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class LayerTable:
    """`layers.csv`: for each column an array [T+1, L]; `names` in the order of registration."""

    names: tuple[str, ...]
    columns: Mapping[str, FloatArray]

    def __getitem__(self, column: str) -> FloatArray:
        return self.columns[column]


@dataclass(frozen=True, eq=False)
class Run:
    """A run's folder: what run.json says, and `config`, the resolved settings of config.yaml.

    dataset, model: their short names; choices, overrides, config_dir: how it was asked for on the command line.
    """

    folder: Path
    id: str
    name: str
    status: str
    iterations_done: int
    iterations_total: int
    dataset: str
    model: str
    method: Method
    scope: str
    seed: int
    config: Mapping[str, Any] = field(repr=False)
    reason: str | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    overrides: Sequence[str] = ()
    config_dir: str | None = None

    @property
    def finished(self) -> bool:
        return self.status == "finished"

    @property
    def iterations(self) -> int:
        """T, the number of prunings."""
        return self.iterations_total - 1

    @property
    def output_dir(self) -> Path:
        """The folder that holds `runs/`."""
        return self.folder.parents[1]

    @cached_property
    def table(self) -> Mapping[str, FloatArray]:
        """`iterations.csv`: column -> array [T+1], NaN where not defined."""
        path = self.folder / ITERATIONS_FILE
        table = numbers(path, read_columns(path))
        order = np.argsort(table["iteration"], kind="stable")
        found = table["iteration"][order].tolist()
        if found != list(range(self.iterations + 1)):
            given = ", ".join(f"{t:g}" for t in found)
            raise UserError(
                f"{path} should have one row for each iteration 0..{self.iterations}, it has {given or 'none'}; {AGAIN}"
            )
        return {name: values[order] for name, values in table.items()}

    @cached_property
    def layers(self) -> LayerTable:
        """`layers.csv`, one column of each array per prunable tensor."""
        path = self.folder / LAYERS_FILE
        cells = read_columns(path)
        layer = cells.pop("layer")
        names = tuple(dict.fromkeys(layer))
        shape = (self.iterations + 1, len(names))
        if len(layer) != shape[0] * shape[1]:
            raise UserError(f"{path} has {len(layer)} rows for {shape[0]} iterations of {shape[1]} layers; {AGAIN}")
        table = numbers(path, cells)
        order = np.argsort(table.pop("iteration"), kind="stable")
        return LayerTable(names, {name: values[order].reshape(shape) for name, values in table.items()})

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
        from safetensors import SafetensorError, safe_open

        path = self.folder / MEASURES_FILE
        try:
            with safe_open(path, framework="numpy") as file:
                yield file
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise UserError(f"{path}: {error}; {AGAIN}") from error


def load_run(folder: Path) -> Run:
    """One run, finished or not. Raises UserError where the folder holds none that this version reads."""
    try:
        state: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        if state.get("schema") != SCHEMA:
            raise UserError(
                f"{folder.name}: records of schema {state.get('schema')!r}, this version reads {SCHEMA}; "
                "use the version that made them, or run them again into another output_dir"
            )
        config = yaml.load((folder / CONFIG_FILE).read_text(encoding="utf-8"), Loader=_Loader)
        return _run(folder, state, config)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"{folder.name}: {Path(error.filename).name} is missing; {AGAIN}") from error
    except (AttributeError, KeyError, OSError, TypeError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{folder.name}: damaged ({type(error).__name__}: {reason}); {AGAIN}") from error


def _run(folder: Path, state: Mapping[str, Any], config: Mapping[str, Any]) -> Run:
    for section in ("dataset", "model", "trainer", "protocol", "prune"):
        _ = config[section]["name"]
    return Run(
        folder, str(state["id"]), str(state["name"]), str(state["status"]), int(state["iterations_done"]),
        int(state["iterations_total"]), str(state["dataset"]), str(state["model"]),
        Method.of_records(state["method"], config["prune"]), str(state["scope"]), int(state["seed"]), config,
        state.get("reason"), dict(state["choices"]), tuple(state["overrides"]), state.get("config_dir"),
    )  # fmt: skip
