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
from src.status.standing import Status, standings
from src.status.work import measured_rates, work
from src.store.claims import is_held, run_lock

log = logging.getLogger(__name__)

ROUNDS = 2
"""How often runs are launched that a launcher lost, as when one of joblib's processes was killed."""

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
        log.info(
            "%d runs in %s: %d finished, %d to do",
            len(runs),
            self.output_dir / "runs",
            len(runs) - len(todo),
            len(todo),
        )
        returns: list[JobReturn] = []
        failed: dict[Job, str] = {}
        while todo:
            new, failed_now = _launch(todo, launch)
            busy = [job for job, result in zip(todo, new, strict=False) if _is_busy(result)]
            returns += [result for result in new if not _is_busy(result)]
            failed |= {job: reason for job, reason in failed_now.items() if job not in busy}
            todo = _wait_for_others(busy)
        failures = [*((job.words, " ".join(job.words), job.reason) for job in self.bad)]
        failures += [(job.words, job.folder.name, reason) for job, reason in failed.items()]
        if failures:
            raise UserError(_table(failures, len(self.jobs) + len(self.bad)))
        return returns


def _launch(todo: list[Job], launch: Launch) -> tuple[list[JobReturn], dict[Job, str]]:
    """Launch jobs, once more those that their launcher lost; the reasons of those that failed."""
    failed: dict[Job, str] = {}
    for _ in range(ROUNDS):
        try:
            returns = list(launch([list(job.words) for job in todo], 0))
        except BrokenExecutor as error:
            log.warning("%s", message(error).splitlines()[0])
            runs = standings(todo)
            failed |= {run.job: run.reason or "" for run in runs if run.job and run.status == Status.failed}
            todo = [run.job for run in runs if run.job and run.status not in (Status.failed, Status.finished)]
            continue
        return returns, failed | {job: _reason(job, r) for job, r in zip(todo, returns, strict=True) if _failed(r)}
    return [], failed | dict.fromkeys(todo, "killed, perhaps for want of memory; try fewer processes")


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
    return result.status == JobStatus.FAILED


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
