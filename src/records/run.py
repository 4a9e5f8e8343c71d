"""One stored run; its tables and arrays are read when they are first asked for. What is damaged is a UserError."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import yaml  # type: ignore[import-untyped]

from src.errors import UserError
from src.files import is_as_written, read_yaml
from src.records import schema
from src.records.integrity import verify
from src.records.method import Method

FloatArray: TypeAlias = npt.NDArray[np.float64]
Side = Literal["retrained", "pruned"]
AGAIN = "remove the folder and run it again"
TYPES: Mapping[str, type] = {
    **dict.fromkeys(("schema", "iterations_done", "iterations_total", "seed"), int),
    **dict.fromkeys(("id", "name", "status", "dataset", "model", "scope"), str),
    "method": dict, "choices": dict, "overrides": list,
}  # fmt: skip
"""What run.json holds, as far as readers need it."""
ALWAYS_KNOWN = ("iteration", "remaining", "total", "percent_remaining", "retrained_accuracy")
"""Columns without empty cells."""


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

    dataset, model: their short names; choices, overrides, config_dir: how it was asked for on the command line;
    digests: of its data, model, trainer and method, as far as recorded; apart: first digits of those that tell it from
    runs of the same settings, where any do.
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
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)
    apart: Mapping[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        return self.status == "finished"

    @property
    def iterations(self) -> int:
        """T, the number of prunings."""
        return self.iterations_total - 1

    @property
    def output_dir(self) -> Path:
        return self.folder.parents[1]

    @cached_property
    def table(self) -> Mapping[str, FloatArray]:
        """`iterations.csv`: column -> array [T+1], NaN where not defined."""
        table = read_table(self._verified(schema.ITERATIONS_FILE))
        order = np.argsort(table["iteration"], kind="stable")
        found = table["iteration"][order].tolist()
        if len(found) != self.iterations_total or found != list(range(self.iterations_total)):
            given = ", ".join(f"{t:g}" for t in found)[:200]
            raise UserError(
                f"{self.folder / schema.ITERATIONS_FILE} should have one row for each iteration 0..{self.iterations}, "
                f"it has {given or 'none'}; {AGAIN}"
            )
        return {name: values[order] for name, values in table.items()}

    @cached_property
    def layers(self) -> LayerTable:
        """`layers.csv`, one column of each array per prunable tensor."""
        table = read_table(self._verified(schema.LAYERS_FILE), texts=["layer"])
        layer, iteration = np.array(table.pop("layer")), table.pop("iteration")
        order = np.argsort(iteration, kind="stable")
        names = tuple(dict.fromkeys(layer.tolist()))
        rows = zip(iteration[order].tolist(), layer[order].tolist(), strict=True)
        whole = len(layer) == self.iterations_total * len(names) > 0
        if not whole or list(rows) != list(product(range(self.iterations_total), names)):
            raise UserError(
                f"{self.folder / schema.LAYERS_FILE} has not a row for each of {len(names)} layers in each of "
                f"{self.iterations_total} iterations; {AGAIN}"
            )
        shape = (self.iterations_total, len(names))
        return LayerTable(names, {name: values[order].reshape(shape) for name, values in table.items()})

    def grid(self, side: Side, iteration: int) -> FloatArray:
        """PQ Index of the whole network over the grid: [10, 11], rows p = 0.1..1.0, columns q = 1.0..2.0."""
        return self.grids(side, [iteration]).squeeze(0)

    def grids(self, side: Side, iterations: Sequence[int]) -> FloatArray:
        """The same of several iterations, read at once: [n, 10, 11]."""
        return self._measures([f"iteration_{t}/{side}/pqi_global" for t in iterations])

    def layer_grids(self, side: Side) -> FloatArray:
        """PQ Index of each layer over the grid: [T+1, L, 10, 11], of pruned models [T, L, 10, 11]."""
        count = self.iterations + (side == "retrained")
        return self._measures([f"iteration_{t}/{side}/pqi_layer" for t in range(count)])

    @cached_property
    def grid_axes(self) -> tuple[FloatArray, FloatArray]:
        with self._open_measures() as file:
            metadata = json.loads((file.metadata() or {})["json"])
            return np.array(metadata["p"]), np.array(metadata["q"])

    def _measures(self, names: Sequence[str]) -> FloatArray:
        with self._open_measures() as file:
            return np.stack([np.asarray(file.get_tensor(name), np.float64) for name in names])

    @cached_property
    def _measures_file(self) -> Path:
        return self._verified(schema.MEASURES_FILE)

    def _verified(self, name: str) -> Path:
        """The path of a file. Raises UserError where it was recorded with another content, of which run.json knows."""
        if lines := verify(self.folder, [name]):
            raise UserError(lines[0])
        return self.folder / name

    @contextmanager
    def _open_measures(self) -> Iterator[Any]:
        from safetensors import SafetensorError, safe_open

        path = self._measures_file
        try:
            with safe_open(path, framework="numpy") as file:
                yield file
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: {error}; {AGAIN}") from error


def load_run(folder: Path) -> Run:
    """One run, finished or not. Raises UserError where the folder holds none that this version reads."""
    with _reading(folder, schema.RUN_FILE) as path:
        state = _checked(folder, path.read_bytes())
        kind, short, label = (str(state["method"][key]) for key in ("kind", "short", "label"))
        digests = {str(name): str(value) for name, value in dict(state.get("digests", {})).items()}
    with _reading(folder, schema.CONFIG_FILE) as path:
        if lines := verify(folder, [schema.CONFIG_FILE]):
            raise UserError(lines[0])
        config = read_yaml(path)
        for section in ("dataset", "model", "trainer", "protocol", "prune"):
            _ = config[section]["name"]
        json.dumps(config, sort_keys=True, default=str)  # so that its text can tell settings apart
        of_the_run = ("_target_", "name", "scope", "iterations")
        settings = {key: value for key, value in config["prune"].items() if key not in of_the_run}
    values = {key: state[key] for key in TYPES if key not in ("schema", "method")}
    method = Method(kind, short, label, settings)
    return Run(folder, method=method, config=config, reason=state.get("reason"), config_dir=state.get("config_dir"),
               digests=digests, **values)  # fmt: skip


def _checked(folder: Path, text: bytes) -> dict[str, Any]:
    """run.json, where it is what a run of this schema has there."""
    state = json.loads(text.decode())
    if not isinstance(state, dict):
        raise TypeError(f"it is {str(state)[:20]}, not a mapping")
    if not is_as_written(text, state):
        raise UserError(f"{folder.name}: {schema.CHANGED}")
    if state.get("schema", schema.SCHEMA) != schema.SCHEMA:
        raise UserError(
            f"{folder.name}: records of schema {state['schema']!r}, this version reads {schema.SCHEMA}; "
            "use the version that made them, or run them again into another output_dir"
        )
    for key, kind in TYPES.items():
        if type(state.get(key)) is not kind:
            raise TypeError(f"{key} is {str(state.get(key))[:20]!r}, not of type {kind.__name__}")
    for key, allowed in (("status", schema.STATUSES), ("scope", schema.SCOPES)):
        if state[key] not in allowed:
            raise ValueError(f"{key} is {state[key][:20]!r}, none of {', '.join(allowed)}")
    if state["iterations_total"] < 1:
        raise ValueError("iterations_total is below 1")
    json.dumps(state, ensure_ascii=False).encode()  # half a character cannot be written
    return state


@contextmanager
def _reading(folder: Path, name: str) -> Iterator[Path]:
    """The file's path; what goes wrong with it is one line."""
    try:
        yield folder / name
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"{folder.name}: {name} is missing; {AGAIN}") from error
    except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{folder.name}: {name} is damaged ({type(error).__name__}: {reason}); {AGAIN}") from error


def read_table(path: Path, texts: Sequence[str] = ()) -> dict[str, Any]:
    """Column -> array [rows], NaN for an empty cell; of `texts` the cells themselves.

    Raises UserError naming file, row, column and fix, also where a required column is not there.
    """
    fix = f"correct it, or remove the folder {path.parent.name} and run it again"
    try:
        text = path.read_text(encoding="utf-8")
        head, *rows = csv.reader(io.StringIO(text, newline=""))
    except (OSError, ValueError, csv.Error) as error:
        reason = "it is empty" if str(error).startswith("not enough values") else error
        raise UserError(f"{path}: {reason}; {fix}") from error
    if "\0" in text:
        raise UserError(f"{path}, row {text[: text.index(chr(0))].count(chr(10)) + 1}: bytes of zero; {fix}")
    needed = schema.REQUIRED_COLUMNS[path.name]
    if absent := [column for column in needed if column not in head]:
        separated = "; its cells are separated by semicolons: save it with commas" * (";" in "".join(head))
        raise UserError(f"{path}, row 1: no column {', '.join(absent)}{separated or f'; {fix}'}")
    for number, row in enumerate(rows, 2):
        if len(row) != len(head):
            raise UserError(f"{path}, row {number}: {len(row)} cells for {len(head)} columns; {fix}")

    def parsed(name: str, number: int, cell: str) -> float:
        try:
            value = float(cell or "nan")
            if not math.isfinite(value) and (name in ALWAYS_KNOWN or (math.isinf(value) and name in needed)):
                raise ValueError(name)
            return value
        except ValueError:
            raise UserError(f"{path}, row {number}, {name}: {cell[:40]!r} is not a number; {fix}") from None

    columns = {name: [row[i] for row in rows] for i, name in enumerate(head)}
    return {
        name: cells if name in texts else np.array([parsed(name, i, cell) for i, cell in enumerate(cells, 2)])
        for name, cells in columns.items()
    }
