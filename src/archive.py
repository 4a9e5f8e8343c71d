"""Finished runs as compact data that can be committed, and back.

Use:  python -m src.archive pack [key=value ...]      <output_dir>/runs -> <destination>/<study>/, a folder a study
      python -m src.archive unpack [key=value ...]    the studies below <destination> -> <output_dir>/runs

  dataset, model, trainer, protocol, experiment, seed
                  which runs to pack; several with commas; default: all that are finished
  output_dir      outputs; destination: <output_dir>/records

A study's folder:

  runs.jsonl.gz      a line a run: its settings, and what run.json says of it, provenance included
  iterations.csv.gz  the rows of all runs' iterations.csv, after a column `run`
  layers.csv.gz      the same of layers.csv
  grids.npz          PQ Index over (p, q) of the retrained networks, float32: `<run>/whole` [T+1, 10, 11] and
                     `<run>/layers` [T+1, L, 10, 11]; each as its bytes, the lowest of all numbers first (uint8
                     [4, T+1, ...]), in which they take four fifths of the room

What is unpacked is read as any other run. Masks, networks, epochs and the grids of pruned networks are left out. So is
where the runs were made: folders become those of a fresh clone. A run that is there already is left as it is, with a
line on stderr.
"""

import gzip
import hashlib
import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import yaml  # type: ignore[import-untyped]

from src.analysis.settings import RecordSettings, choose
from src.config.command_line import read_settings, run_command
from src.errors import UserError
from src.files import replace, write_json, write_text
from src.records.integrity import stamps
from src.records.run import FloatArray, Run
from src.records.schema import CONFIG_FILE, ITERATIONS_FILE, LAYERS_FILE, MEASURES_FILE, RUN_FILE
from src.records.study import Study
from src.store.locks import acquire, run_lock

RUNS_FILE = "runs.jsonl"
GRIDS_FILE = "grids.npz"
PACKED = ".gz"
TABLES = (ITERATIONS_FILE, LAYERS_FILE)
FRESH = {"output_dir": "outputs", "dataset.root": "data"}
"""Folders of a fresh clone, in the place of those that the runs were made in."""


def main(arguments: Sequence[str]) -> int:
    """Print the folders made; the status is 1 where there is nothing to pack or unpack."""
    return run_command(arguments, str(__doc__), _body)


def _body(words: list[str]) -> int:
    if words[:1] not in (["pack"], ["unpack"]):
        raise UserError("say pack or unpack; see --help")
    settings = read_settings(RecordSettings, words[1:])
    folder = settings.folder("records")
    if words[0] == "pack":
        studies, _, messages = choose(settings)
        for study in studies:
            pack(study, folder / study.name)
            print(folder / study.name)
        print(*messages, sep="\n", end="\n" * bool(messages), file=sys.stderr)
        return 0
    packed = sorted(path.parent for path in folder.rglob(RUNS_FILE + PACKED))
    if not packed:
        raise UserError(f"no packed runs below {folder}")
    made: dict[Path, bool] = {}
    for each in packed:
        made |= (here := unpack(each, settings.output_dir))
        print(*here, sep="\n")
    left = [path for path, new in made.items() if not new]
    for path in left:
        print(f"left as it is: {path}", file=sys.stderr)
    if left:
        print(f"{len(left)} of {len(made)} runs were there; remove a folder to have its packed run", file=sys.stderr)
    return 0


def pack(study: Study, folder: Path) -> list[Path]:
    """Write the finished runs of a study into `folder`; returns the paths."""
    runs = sorted(study.runs, key=lambda run: run.name)
    texts = {RUNS_FILE: "".join(f"{json.dumps(_described(run), sort_keys=True)}\n" for run in runs)}
    texts |= {name: "".join(_rows(runs, name)) for name in TABLES}
    return [*(_write(folder / name, text) for name, text in texts.items()), _write_grids(runs, folder / GRIDS_FILE)]


def unpack(folder: Path, output_dir: Path) -> dict[Path, bool]:
    """Make `<output_dir>/runs/<name>` of each run packed in `folder`; returns these folders, and whether each was made.

    One that has a run.json, or that a process works on, is left as it is.

    Raises:
        UserError: a table that is not what was recorded.
    """
    lines = _read(folder / RUNS_FILE).splitlines()
    tables = {name: _by_run(folder / name) for name in TABLES}
    made = {}
    for line in map(json.loads, lines):
        run = output_dir / "runs" / str(line["run"]["name"])
        with ExitStack() as held:
            made[run] = not (run / RUN_FILE).exists() and acquire(run_lock(run), held)
            if made[run]:
                _unpack_run(line, tables, folder, run)
    return made


def _write(path: Path, text: str) -> Path:
    """Write text compressed, the same bytes for the same text."""
    data = gzip.compress(text.encode(), mtime=0)
    return replace(path.with_name(path.name + PACKED), lambda part: part.write_bytes(data))


def _read(path: Path) -> str:
    return gzip.decompress(path.with_name(path.name + PACKED).read_bytes()).decode()


def _described(run: Run) -> dict[str, Any]:
    state = json.loads((run.folder / RUN_FILE).read_text(encoding="utf-8"))
    state.pop("sha256", None)
    state |= {"overrides": _elsewhere(state["overrides"]), "config_dir": None}
    state["files"] = {name: {"sha256": _digest("\n".join([*_lines(run, name), ""]))} for name in TABLES}
    if "provenance" in state:
        words = shlex.split(state["provenance"]["command"])
        state["provenance"]["command"] = shlex.join(_elsewhere(words))
    config = {**run.config, "output_dir": FRESH["output_dir"], "config_dir": None}
    config["overrides"] = _elsewhere(run.config["overrides"])
    if "root" in config["dataset"]:
        config["dataset"] = {**config["dataset"], "root": FRESH["dataset.root"]}
    return {"run": state, "config": config}


def _elsewhere(words: Iterable[str]) -> list[str]:
    """Words of a command without the folders of the machine it was given on."""
    return [word for word in words if word.partition("=")[0] not in FRESH]


def _lines(run: Run, name: str) -> list[str]:
    """The lines of a run's table."""
    _ = run.table, run.layers  # whole, and as they were recorded
    return (run.folder / name).read_text(encoding="utf-8").splitlines()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _rows(runs: Iterable[Run], name: str) -> Iterator[str]:
    """The lines of a table of all runs, under one heading."""
    heading = None
    for run in runs:
        head, *lines = _lines(run, name)
        if heading is None:
            heading = head
            yield f"run,{head}\n"
        elif head != heading:
            raise UserError(f"{run.name}: the columns of {name} are not those of the other runs")
        yield from (f"{run.name},{line}\n" for line in lines)


def _by_run(path: Path) -> dict[str, str]:
    """The text of each run's own table."""
    head, *lines = _read(path).splitlines()
    heading = f"{head.partition(',')[2]}\n"
    found: dict[str, list[str]] = {}
    for line in lines:
        name, _, row = line.partition(",")
        found.setdefault(name, [heading]).append(f"{row}\n")
    return {name: "".join(rows) for name, rows in found.items()}


def _write_grids(runs: Iterable[Run], path: Path) -> Path:
    grids: dict[str, FloatArray] = {}
    for run in runs:
        grids["p"], grids["q"] = run.grid_axes
        grids[f"{run.name}/whole"] = run.grids("retrained", range(run.iterations_total))
        if len(run.layers.names) > 1:
            grids[f"{run.name}/layers"] = run.layer_grids("retrained")
    planes: dict[str, Any] = {name: _planes(grid) if "/" in name else grid for name, grid in grids.items()}

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.savez_compressed(file, **planes)

    return replace(path, write)


def _planes(values: FloatArray) -> np.ndarray[Any, Any]:
    """The bytes of float32 numbers, the lowest of all of them first: those of a kind compress well."""
    return np.moveaxis(values.astype("<f4")[..., None].view(np.uint8), -1, 0)


def _joined(planes: np.ndarray[Any, Any]) -> FloatArray:
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view("<f4").squeeze(-1)


def _unpack_run(line: Mapping[str, Any], tables: Mapping[str, Mapping[str, str]], packed: Path, run: Path) -> None:
    texts = {name: tables[name].get(run.name, "") for name in TABLES}
    for name, text in texts.items():
        if _digest(text) != line["run"]["files"][name]["sha256"]:
            raise UserError(f"{packed / name}: the rows of {run.name} are not those that were recorded")
    for name, text in texts.items():
        write_text(run / name, text)
    write_text(run / CONFIG_FILE, yaml.safe_dump(line["config"], sort_keys=False))
    _write_measures(packed / GRIDS_FILE, run)
    files = stamps(run, [*TABLES, MEASURES_FILE, CONFIG_FILE])
    write_json(run / RUN_FILE, {**line["run"], "files": files})


def _write_measures(grids: Path, folder: Path) -> None:
    from safetensors.numpy import save_file

    with np.load(grids) as file:
        axes = {"p": file["p"].tolist(), "q": file["q"].tolist()}
        whole = _joined(file[f"{folder.name}/whole"])
        by_layer = f"{folder.name}/layers"
        layers = _joined(file[by_layer]) if by_layer in file else whole[:, None]
    measures = {}
    for t, (grid, of_layers) in enumerate(zip(whole, layers, strict=True)):
        measures[f"iteration_{t}/retrained/pqi_global"] = np.ascontiguousarray(grid)
        measures[f"iteration_{t}/retrained/pqi_layer"] = np.ascontiguousarray(of_layers)
    save_file(measures, folder / MEASURES_FILE, {"json": json.dumps(axes)})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
