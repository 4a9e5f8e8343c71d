"""A sweep: launch the runs that are not finished, and tell what became of them."""

import logging
import shlex
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from src.errors import Busy, UserError, message
from src.experiments.jobs import BadJob, Job
from src.experiments.products import Words
from src.status.disk import disk
from src.status.report import Report
from src.status.standing import Standing, Status, standings
from src.status.work import measured_rates, work
from src.store.claims import is_held, run_lock

log = logging.getLogger(__name__)

ROUNDS = 2
"""How often runs are launched that a launcher lost, as when one of joblib's processes was killed."""

ENDED = (Status.finished, Status.failed)

WAIT_S = 1.0
"""Time between two looks at the runs of other processes."""

Launch = Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]]


class Sweep:
    """The jobs of one command."""

    def __init__(self, jobs: Sequence[Job | BadJob], output_dir: Path) -> None:
        self.jobs = [job for job in jobs if isinstance(job, Job)]
        self.bad = [job for job in jobs if isinstance(job, BadJob)]
        self.output_dir = output_dir
        reasons = {job.reason for job in self.bad}
        if not self.jobs and len(reasons) == 1:
            raise UserError(reasons.pop())

    def report(self) -> Report:
        """Where the runs stand and what is left to do."""
        runs = standings(self.jobs)
        return Report(
            runs, work(runs, from_start=True), work(runs), measured_rates(self.output_dir), disk(self.output_dir, runs)
        )

    def run(self, launch: Launch) -> list[JobReturn]:
        """Launch what is not finished. Raises UserError with the table of what failed, when all else is done."""
        runs = standings(self.jobs)
        todo = [run.job for run in runs if run.job is not None and not run.finished]
        where, finished = self.output_dir / "runs", len(runs) - len(todo)
        log.info("%d runs in %s: %d finished, %d to do", len(runs), where, finished, len(todo))
        results: dict[Job, JobReturn] = {}
        while todo:
            new = _launch(todo, launch)
            results |= new
            todo = _wait_for_others([job for job, result in new.items() if _is_busy(result)])
        failures = [*((job.words, " ".join(job.words), job.reason) for job in self.bad)]
        failures += [
            (job.words, job.folder.name, _reason(job, result)) for job, result in results.items() if _failed(result)
        ]
        if failures:
            raise UserError(_table(failures, len(self.jobs) + len(self.bad)))
        return list(results.values())


def _launch(todo: Sequence[Job], launch: Launch) -> dict[Job, JobReturn]:
    """What the jobs return; those that their launcher lost are launched once more."""
    results: dict[Job, JobReturn] = {}
    left = list(todo)
    for _ in range(ROUNDS):
        try:
            return results | dict(zip(left, launch([list(job.words) for job in left], 0), strict=True))
        except BrokenExecutor as error:
            log.warning("%s", message(error).splitlines()[0])
            results |= {run.job: _recorded(run) for run in standings(left) if run.job and run.status in ENDED}
            left = [job for job in left if job not in results]
            if not left:
                return results
    return results | {job: _failure("killed, perhaps for want of memory; try fewer processes") for job in left}


def _recorded(run: Standing) -> JobReturn:
    """The result of a run that ended, but whose process was lost."""
    return JobReturn(status=JobStatus.COMPLETED) if run.finished else _failure(run.reason or "")


def _failure(reason: str) -> JobReturn:
    return JobReturn(status=JobStatus.FAILED, _return_value=UserError(reason))


def _wait_for_others(busy: list[Job]) -> list[Job]:
    """Of runs that other processes are at, those that are left when one of these processes is done or dead."""
    if busy:
        log.info("%d runs are being written by other processes; waiting for these", len(busy))
    while busy and all(is_held(run_lock(job.folder)) for job in busy):
        time.sleep(WAIT_S)
    return [run.job for run in standings(busy) if run.job is not None and not run.finished]


def _is_busy(result: JobReturn) -> bool:
    return isinstance(result._return_value, Busy)


def _failed(result: JobReturn) -> bool:
    return result.status == JobStatus.FAILED and not _is_busy(result)


def _reason(job: Job, result: JobReturn) -> str:
    """Why a job failed; a defect, which is not the user's to mend, is logged with its traceback."""
    error = result._return_value  # the property would print Hydra's own message
    if isinstance(error, UserError | HydraException | OmegaConfBaseException):
        return message(error)
    log.error("%s", job.folder.name, exc_info=error)
    return f"{type(error).__name__}: {message(error)}"


def _table(failures: Sequence[tuple[Words, str, str]], total: int) -> str:
    lines = [f"{len(failures)} of {total} runs failed"]
    for words, name, reason in failures:
        first, *more = reason.splitlines()
        lines += [f"  {name}", *(f"    {line}" for line in (first, *more))]
        lines.append(f"    again: python -m src.main {shlex.join((*words, 'hydra.mode=RUN'))}")
    return "\n".join([*lines, "the same command tries all of these again, and nothing that is finished"])
