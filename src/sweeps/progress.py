"""Where one run stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from src.experiments.jobs import BadJob, Job, stored_config
from src.run_identity import build_run_id, build_spec
from src.store.claims import is_held, run_lock
from src.store.state import read_status


class Status(StrEnum):
    """State of a run; `interrupted`: begun, and no process works on it."""

    finished = "finished"
    running = "running"
    interrupted = "interrupted"
    failed = "failed"
    missing = "missing"


@dataclass(frozen=True)
class Standing:
    """A run, its state and the iterations recorded of T + 1; `job` is None for a stored run that needs no more work."""

    folder: Path
    status: Status
    done: int
    total: int
    reason: str | None = None
    job: Job | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def finished(self) -> bool:
        return self.status == Status.finished


def standing(job: Job) -> Standing:
    """Where the run of a job stands."""
    total = job.config.prune.iterations + 1
    state = read_status(job.folder)
    if state is None or state.get("id") != job.identity:
        return Standing(job.folder, Status.missing, 0, total, job=job)
    status = _status(job.folder, state["status"])
    return Standing(job.folder, status, state["iterations_done"], total, state["reason"], job)


def standings(jobs: Iterable[Job | BadJob]) -> list[Standing]:
    """Where the runs of jobs stand; a job that makes no run is left out."""
    return [standing(job) for job in jobs if isinstance(job, Job)]


def stored(output_dir: Path) -> list[Standing]:
    """Where the runs stand whose folders are in `<output_dir>/runs`, in the order of their names.

    Settings are read only of unfinished runs and of those that may share trainings with them.
    """
    runs = output_dir / "runs"
    folders = sorted(runs.iterdir()) if runs.is_dir() else []
    found = []
    for folder in folders:
        state = read_status(folder)
        if state is not None:
            done, total = state["iterations_done"], state["iterations_total"]
            found.append(Standing(folder, _status(folder, state["status"]), done, total, state["reason"]))
    kin = {_kin(run) for run in found if not run.finished}
    return [_with_job(run, output_dir) if _kin(run) in kin else run for run in found]


def _kin(run: Standing) -> tuple[str, ...]:
    """Data set, model and seed, as the folder's name has them."""
    words = run.name.split("-")
    return (*words[:2], *(word for word in words if word.startswith("seed")))


def _with_job(run: Standing, output_dir: Path) -> Standing:
    try:
        config = stored_config(run.folder)
    except OSError:
        return run
    config.output_dir = str(output_dir)  # the folder may have been moved
    spec = build_spec(config)
    job = Job((), config, spec, build_run_id(config, spec))
    return Standing(run.folder, run.status, run.done, run.total, run.reason, job)


def _status(folder: Path, recorded: str) -> Status:
    if recorded == "running" and not is_held(run_lock(folder)):
        return Status.interrupted
    return Status(recorded)


def by_status(runs: Sequence[Standing]) -> dict[Status, int]:
    """How many runs are in each state, in the order of `Status`."""
    return {status: sum(run.status == status for run in runs) for status in Status}
