"""How far a run is."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from src.files import read_yaml
from src.records.integrity import is_finished
from src.records.schema import CONFIG_FILE, read_status
from src.records.timings import Setting
from src.run import Run
from src.store.locks import is_held, run_lock


class State(StrEnum):
    """State of a run; `interrupted`: begun, and no process works on it."""

    finished = "finished"
    running = "running"
    interrupted = "interrupted"
    failed = "failed"
    missing = "missing"


@dataclass(frozen=True)
class Progress:
    """A run, its state, and the iterations recorded of T + 1.

    spec: digest of what all its trainings have in common; epochs: of one training; from_file: it starts from a state
    of the user's. Of a run that is only known from its folder, what the folder does not tell is None.
    """

    folder: Path
    identity: str
    state: State
    done: int
    total: int
    reason: str | None = None
    spec: str | None = None
    setting: Setting | None = None
    epochs: int | None = None
    from_file: bool = False

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def finished(self) -> bool:
        return self.state == State.finished


def progress(run: Run) -> Progress:
    """How far a run is."""
    config = run.config
    found = read_status(run.folder)
    state, done, reason = State.missing, 0, None
    if found is not None and found.get("id") == run.identity:
        state, done, reason = _state(run.folder, found), found["iterations_done"], found["reason"]
    return Progress(
        run.folder,
        run.identity,
        state,
        done,
        run.iterations + 1,
        reason,
        run.spec_digest,
        (config.dataset.short, config.model.short, config.dataset.train_size),
        config.trainer.epochs,
        config.init_from is not None,
    )


def stored(output_dir: Path) -> list[Progress]:
    """How far the runs are whose folders are in `<output_dir>/runs`, in the order of their names."""
    runs = output_dir / "runs"
    folders = sorted(runs.iterdir()) if runs.is_dir() else []
    return [_of_folder(folder, found) for folder in folders if (found := read_status(folder)) is not None]


def by_state(runs: Iterable[Progress]) -> dict[State, int]:
    """How many runs are in each state, in the order of `State`."""
    states = [run.state for run in runs]
    return {state: states.count(state) for state in State}


def _of_folder(folder: Path, found: dict[str, Any]) -> Progress:
    state = _state(folder, found)
    done, total = found["iterations_done"], found["iterations_total"]
    about = (folder, str(found["id"]), state, done, total, found["reason"], found.get("spec"))
    if state == State.finished:
        return Progress(*about)
    try:
        config = read_yaml(folder / CONFIG_FILE)
        setting = (config["dataset"]["name"], config["model"]["name"], config["dataset"]["train_size"])
        return Progress(*about, setting, int(config["trainer"]["epochs"]), config["init_from"] is not None)
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError):
        return Progress(*about)


def _state(folder: Path, found: dict[str, Any]) -> State:
    """A finished run with a file missing or damaged has to be gone on with, as one whose process has ended."""
    state = State(found["status"])
    if state == State.finished:
        return state if is_finished(folder, found) else State.interrupted
    return State.interrupted if state == State.running and not is_held(run_lock(folder)) else state
