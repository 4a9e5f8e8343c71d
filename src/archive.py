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
where the runs were made: folders become those of a fresh clone, of a file no more than its name stays. Runs that were
packed before stay packed, a run that is there already is left as it is, and one that cannot be packed is left out;
stderr has a line for each of the latter two.
"""

import hashlib
import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import yaml  # type: ignore[import-untyped]

from src.analysis.settings import RecordSettings, choose
from src.config.command_line import read_settings, run_command
from src.errors import UserError
from src.files import write_json, write_text
from src.records.integrity import stamps
from src.records.packed import GRIDS_FILE, PACKED, RUNS_FILE, TABLES, Packed, joined, planes, read_packed, write_packed
from src.records.run import Run
from src.records.schema import CONFIG_FILE, MEASURES_FILE, RUN_FILE
from src.records.study import Study
from src.store.locks import acquire, run_lock

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
            messages += pack(study, folder / study.name)
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


def pack(study: Study, folder: Path) -> list[str]:
    """Write the finished runs of a study into `folder`, with those that are there; returns what was left out, and why.

    Raises:
        UserError: what is there cannot be read.
    """
    packed = read_packed(folder) if (folder / (RUNS_FILE + PACKED)).exists() else Packed()
    messages = []
    for run in study.runs:
        try:
            _add(run, packed)
        except UserError as error:
            messages.append(f"left out: {error}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # a run.json that was written by hand
            messages.append(f"left out: {run.folder / RUN_FILE} does not describe a run: {error!r}")
    if packed.described:
        write_packed(packed, folder)
    return messages


def unpack(folder: Path, output_dir: Path) -> dict[Path, bool]:
    """Make `<output_dir>/runs/<name>` of each run packed in `folder`; returns these folders, and whether each was made.

    One that has a run.json, or that a process works on, is left as it is.

    Raises:
        UserError: a file that cannot be read, or a table that is not what was recorded.
    """
    packed = read_packed(folder)
    made = {}
    for name in packed.described:
        run = output_dir / "runs" / name
        with ExitStack() as held:
            made[run] = not (run / RUN_FILE).exists() and acquire(run_lock(run), held)
            if made[run]:
                _unpack_run(name, packed, folder, run)
    return made


def _add(run: Run, packed: Packed) -> None:
    """Put a run with those that are packed, in the place of one with its name; nothing is added of one that fails."""
    texts = {name: _text(run, name) for name in TABLES}
    for name, text in texts.items():
        head = text[: text.index("\n") + 1]
        if not all(theirs.startswith(head) for other, theirs in packed.tables[name].items() if other != run.name):
            raise UserError(f"{run.folder / name}: its columns are not those of the other runs of the study")
    described = _described(run, texts)
    axes = dict(zip("pq", run.grid_axes, strict=True))
    grids = {f"{run.name}/whole": planes(run.grids("retrained", range(run.iterations_total)))}
    if len(run.layers.names) > 1:
        grids[f"{run.name}/layers"] = planes(run.layer_grids("retrained"))
    if packed.axes and any(not np.array_equal(packed.axes[name], axes[name]) for name in axes):
        raise UserError(f"{run.folder}: its PQ Index is of another p and q than the other runs of the study")
    packed.described[run.name] = described
    for name, text in texts.items():
        packed.tables[name][run.name] = text
    packed.axes, packed.grids = axes, packed.grids | grids


def _text(run: Run, name: str) -> str:
    """A run's table, however its lines end."""
    _ = run.table, run.layers  # whole, and as they were recorded
    return "\n".join([*(run.folder / name).read_text(encoding="utf-8").splitlines(), ""])


def _described(run: Run, texts: Mapping[str, str]) -> dict[str, Any]:
    state = json.loads((run.folder / RUN_FILE).read_text(encoding="utf-8"))
    state.pop("sha256", None)
    state |= {"name": run.name, "overrides": without_folders(state["overrides"]), "config_dir": None}
    state["files"] = {name: {"sha256": _digest(text)} for name, text in texts.items()}
    if "provenance" in state:
        words = shlex.split(state["provenance"]["command"])
        state["provenance"]["command"] = shlex.join(without_folders(words))
    config = {**run.config, "output_dir": FRESH["output_dir"], "config_dir": None}
    config["overrides"] = without_folders(run.config["overrides"])
    if config.get("init_from"):
        config["init_from"] = Path(config["init_from"]).name
    if "root" in config["dataset"]:
        config["dataset"] = {**config["dataset"], "root": FRESH["dataset.root"]}
    return {"run": state, "config": config}


def without_folders(words: Iterable[str]) -> list[str]:
    """Words of a command without the folders of the machine it was given on."""
    kept: list[str] = []
    before = ""
    for word in words:
        key, _, value = word.partition("=")
        if key == "init_from":
            kept.append(f"init_from={Path(value).name}")
        elif not (key in FRESH or key == "--config-dir" or before == "--config-dir"):
            kept.append(word)
        before = word
    return kept


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unpack_run(name: str, packed: Packed, folder: Path, run: Path) -> None:
    described = packed.described[name]
    texts = {table: packed.tables[table].get(name, "") for table in TABLES}
    for table, text in texts.items():
        if _digest(text) != described["run"]["files"][table]["sha256"]:
            raise UserError(f"{folder / table}: the rows of {name} are not those that were recorded")
    if f"{name}/whole" not in packed.grids:
        raise UserError(f"{folder / GRIDS_FILE}: nothing of {name} in it; fetch or pack it again")
    for table, text in texts.items():
        write_text(run / table, text)
    write_text(run / CONFIG_FILE, yaml.safe_dump(described["config"], sort_keys=False))
    _write_measures(packed, name, run / MEASURES_FILE)
    files = stamps(run, [*TABLES, MEASURES_FILE, CONFIG_FILE])
    write_json(run / RUN_FILE, {**described["run"], "files": files})


def _write_measures(packed: Packed, name: str, path: Path) -> None:
    from safetensors.numpy import save_file

    whole = joined(packed.grids[f"{name}/whole"])
    by_layer = f"{name}/layers"
    layers = joined(packed.grids[by_layer]) if by_layer in packed.grids else whole[:, None]
    measures = {}
    for t, (grid, of_layers) in enumerate(zip(whole, layers, strict=True)):
        measures[f"iteration_{t}/retrained/pqi_global"] = np.ascontiguousarray(grid)
        measures[f"iteration_{t}/retrained/pqi_layer"] = np.ascontiguousarray(of_layers)
    axes = {axis: values.tolist() for axis, values in packed.axes.items()}
    save_file(measures, path, {"json": json.dumps(axes)})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
