"""All runs below an output folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from src.errors import UserError
from src.figures.records.run import SCHEMA, Run

START = "python -m src.main experiment=quickstart"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Library:
    """The runs found, finished or not, and what is wrong with the other folders, a line each."""

    runs: tuple[Run, ...]
    problems: tuple[str, ...]

    @property
    def finished(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.finished)


def load_library(output_dir: Path) -> Library:
    """Read `<output_dir>/runs/*`. Raises UserError where there is not one run."""
    folder = output_dir / "runs"
    folders = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    runs, problems = [], []
    for path in folders:
        found = _load(path)
        if isinstance(found, Run):
            runs.append(found)
        else:
            problems.append(found)
    if not runs:
        seen = "".join(f"\n  {problem}" for problem in problems)
        raise UserError(f"no records in {folder}; make some with\n  {START}{seen and f'{chr(10)}Found:{seen}'}")
    return Library(tuple(runs), tuple(problems))


def load_run(folder: Path) -> Run:
    """One run, finished or not. Raises UserError where the folder holds none that this version reads."""
    found = _load(folder)
    if isinstance(found, str):
        raise UserError(found)
    return found


def _load(folder: Path) -> Run | str:
    try:
        state: dict[str, Any] = json.loads((folder / "run.json").read_text())
        if state.get("schema") != SCHEMA:
            return (
                f"{folder.name}: records of schema {state.get('schema')!r}, this version reads {SCHEMA}; "
                "use the version that made them, or run them again into another output_dir"
            )
        config = yaml.load((folder / "config.yaml").read_text(), Loader=_Loader)
        done, total = int(state["iterations_done"]), int(state["iterations_total"])
        run = Run(folder, state["id"], state["name"], state["status"], done, total, state.get("reason"), config)
        _ = run.method, run.seed, run.dataset, run.model, run.scope, run.iterations
    except FileNotFoundError as error:
        return f"{folder.name}: {Path(error.filename).name} is missing; remove the folder and run it again"
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        return f"{folder.name}: damaged ({type(error).__name__}: {error}); remove the folder and run it again"
    return run
