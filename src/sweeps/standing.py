"""Where runs stand, and what is left to train."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from src.files import read_yaml
from src.records.integrity import damaged_file
from src.records.schema import CONFIG_FILE, RUN_FILE, read_status
from src.records.timings import Rate, Setting
from src.run import Run
from src.store.locks import is_held, run_lock

UNREADABLE = "run.json does not say where the run stands; run the same command again"


class State(StrEnum):
    """State of a run; `interrupted`: begun, and no process works on it."""

    finished = "finished"
    running = "running"
    interrupted = "interrupted"
    failed = "failed"
    missing = "missing"


@dataclass(frozen=True)
class Standing:
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


def standing(run: Run) -> Standing:
    """Where a run stands."""
    config = run.config
    found = read_status(run.folder)
    state, done, reason = State.missing, 0, None
    if found is not None and found.get("id") == run.identity:
        (state, reason), done = _state(run.folder, found), found["iterations_done"]
    return Standing(
        run.folder,
        run.identity,
        state,
        done,
        run.iterations + 1,
        reason,
        run.spec_digest,
        run.setting,
        config.trainer.epochs,
        config.init_from is not None,
    )


def stored(output_dir: Path) -> list[Standing]:
    """Where the runs stand whose folders are in `<output_dir>/runs`, in the order of their names."""
    files = sorted((output_dir / "runs").glob(f"*/{RUN_FILE}"))
    return [_of_folder(file.parent, read_status(file.parent)) for file in files]


def by_state(runs: Iterable[Standing]) -> dict[State, int]:
    """How many runs are in each state, in the order of `State`."""
    states = [run.state for run in runs]
    return {state: states.count(state) for state in State}


def _of_folder(folder: Path, found: dict[str, Any] | None) -> Standing:
    if found is None:
        return Standing(folder, folder.name, State.failed, 0, 0, UNREADABLE)
    state, reason = _state(folder, found)
    done, total = found["iterations_done"], found["iterations_total"]
    about = (folder, str(found["id"]), state, done, total, reason, found.get("spec"))
    if state == State.finished:
        return Standing(*about)
    try:
        config = read_yaml(folder / CONFIG_FILE)
        setting = (config["dataset"]["name"], config["model"]["name"], config["dataset"]["train_size"])
        return Standing(*about, setting, int(config["trainer"]["epochs"]), config["init_from"] is not None)
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError):
        return Standing(*about)


def _state(folder: Path, found: dict[str, Any]) -> tuple[State, str | None]:
    """The state, and why it is so.

    A finished run with a file missing or damaged has to be gone on with, as one whose process has ended.
    """
    state, reason = State(found["status"]), found["reason"]
    if state == State.finished and (name := damaged_file(folder, found)):
        return State.interrupted, f"{name} is missing or damaged; run the same command again to have it as it was"
    if state == State.running and not is_held(run_lock(folder)):
        return State.interrupted, reason
    return state, reason


@dataclass(frozen=True)
class Work:
    """Iterations of runs, and the setting and epochs of the trainings that these take at most, equal ones once."""

    iterations: int
    trainings: Mapping[Hashable, tuple[Setting | None, int]]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each there are."""
        return {
            "iterations": self.iterations,
            "trainings": len(self.trainings),
            "epochs": sum(epochs for _, epochs in self.trainings.values()),
        }

    @property
    def epochs(self) -> dict[Setting | None, int]:
        """Epochs of each setting."""
        total: dict[Setting | None, int] = defaultdict(int)
        for setting, epochs in self.trainings.values():
            total[setting] += epochs
        return dict(total)

    def seconds(self, rates: Mapping[Setting, Rate]) -> float | None:
        """Wall time at the measured rates; None where one is not known."""
        total = 0.0
        for setting, epochs in self.epochs.items():
            if setting is None or setting not in rates:
                return None
            total += rates[setting].seconds * epochs
        return total


def work(runs: Iterable[Standing], from_start: bool = False) -> Work:
    """What the runs still need, without what one of them has already trained for all; from_start: what all need."""
    keys = [(run, training_keys(run)) for run in runs]
    done = set() if from_start else {key for run, own in keys for key in own[: run.done]}
    iterations = 0
    left: dict[Hashable, tuple[Setting | None, int]] = {}
    for run, own in keys:
        remaining = own if from_start else [] if run.finished else own[run.done :]
        iterations += len(remaining)
        left |= {key: (run.setting, run.epochs or 0) for key in remaining if key not in done}
    return Work(iterations, left)


def training_keys(run: Standing) -> list[Hashable]:
    """For each iteration of a run a key that trainings share which are certain to be equal: that of iteration 0.

    It depends on no method (PROTOCOL 2.5). The store shares by content and finds more.
    """
    first = run.identity if run.spec is None or run.from_file else run.spec
    return [(first if t == 0 else run.identity, t) for t in range(run.total)]
