"""A sweep: launch the runs that are not finished, and tell what became of them."""

import io
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus

from src.config.command_line import command, setting_word
from src.errors import Busy, UserError, message
from src.records.provenance import without_secrets
from src.records.timings import measured_rates
from src.run import Run
from src.store.locks import is_held, run_lock
from src.sweeps.jobs import MISTAKES, BadJob, Job
from src.sweeps.report import Report, ends, indented, outlook, plural, report
from src.sweeps.standing import Standing, State, standing, work
from src.tracking.tracker import GROUP, is_untold

log = logging.getLogger(__name__)

ROUNDS = 2
"""How often runs are launched that a launcher lost, as when one of joblib's processes was killed."""

ENDED = (State.finished, State.failed)

WAIT_S = 1.0
"""Time between two looks at the runs of other processes."""

NOT_ABOUT = ("output_dir=", "tracking", "hydra", "device=", "threads=", "dataset.root=", "experiment=")
"""How words begin that do not say what is compared."""

Launch = Callable[[Sequence[Sequence[str]], int], Sequence[JobReturn]]


class Sweep:
    """The jobs of one command. Raises UserError where none is possible."""

    def __init__(self, jobs: Sequence[Job | BadJob], config_dir: str | None = None, words: Sequence[str] = ()) -> None:
        self.jobs = [job for job in jobs if isinstance(job, Job)]
        self.bad = [job for job in jobs if isinstance(job, BadJob)]
        self.config_dir = config_dir
        self.words = words
        if not self.jobs:
            raise UserError("\n".join(dict.fromkeys(job.reason for job in self.bad)))

    @property
    def output_dir(self) -> Path:
        """Where all its runs are."""
        return self.jobs[0].run.output_dir

    def report(self) -> Report:
        """Where the runs stand and what is left to do."""
        return report([standing(job.run) for job in self.jobs], self.output_dir, self.bad)

    def outlook(self) -> str:
        """What is left to train, how long that takes here, and how to ask for less."""
        return outlook([job.run for job in self.jobs])

    def run(self, launch: Launch, serial: bool = False) -> list[JobReturn]:
        """Launch what is not finished, and tell how all ended; `serial`: the runs are done one by one in this process.

        Raises UserError with the table of what failed, when all else is done.
        """
        todo = _unfinished(self.jobs)
        log.info("%s", self.outlook() if todo else again(self.output_dir))
        counts = (plural(len(self.jobs), "run"), self.output_dir / "runs", len(self.jobs) - len(todo), len(todo))
        log.info("%s in %s: %d finished, %d to do", *counts)
        results: dict[Job, JobReturn] = {}
        launch = _one_by_one(launch) if serial else launch
        unfinished = set(todo)
        left = [job for job in self.jobs if job in unfinished or _is_untold(job)]
        with _grouped(self.words), _as_one([job.run for job in todo], serial):
            while left:
                new = _launch(left, launch)
                results |= new
                left = _wait_for_others([job for job, result in new.items() if isinstance(error_of(result), Busy)])
        log.info("%s", ends([job.run for job in self.jobs]))
        ended = {job: error for job, result in results.items() if (error := error_of(result)) is not None}
        failed = [(job, error) for job, error in ended.items() if not isinstance(error, Busy)]
        told = [self._told(job.words, job.run.name, _reason(job, error)) for job, error in failed]
        told += [self._told(job.words, " ".join(job.words), job.reason) for job in self.bad]
        if told:
            total = len(self.jobs) + len(self.bad)
            last = "the same command tries all of these again, and nothing that is finished"
            raise UserError("\n".join([f"{len(told)} of {total} runs failed", *told, last]))
        return list(results.values())

    def _told(self, words: Sequence[str], name: str, reason: str) -> str:
        """What failed, why, and the command for it alone."""
        own = ["--config-dir", self.config_dir] if self.config_dir else []
        alone = command("src.main", [*own, *words, "hydra.mode=RUN"])
        return f"  {name}\n    {indented(reason)}\n    again: {alone}"


@contextmanager
def _grouped(words: Sequence[str]) -> Iterator[None]:
    """What a sweep is about is the group of its runs in Weights & Biases, in whichever process they are."""
    about = without_secrets(" ".join(word for word in words if not word.startswith(NOT_ABOUT)))
    known = GROUP in os.environ or not about
    if not known:
        os.environ[GROUP] = about
    try:
        yield
    finally:
        if not known:
            del os.environ[GROUP]


@contextmanager
def _as_one(runs: Sequence[Run], serial: bool) -> Iterator[None]:
    """The runs are told as one sweep: how all are uploaded, and, where they are serial, how far they all are."""
    from src.execution.progress import begin_sweep
    from src.execution.sweep_progress import SweepProgress
    from src.tracking.wandb_run import upload_together

    if runs:
        upload_together(runs[0].folder.parent)
    if serial and len(runs) > 1:
        left = work([standing(run) for run in runs])
        begin_sweep(SweepProgress(len(runs), left.epochs, measured_rates(runs[0].output_dir)))
    try:
        yield
    finally:
        begin_sweep(None)
        upload_together(None)


def again(output_dir: Path) -> str:
    """How runs that are finished are run again: some of their trainings are kept too."""
    prune = command("src.status", [setting_word("output_dir", output_dir), "--prune"])
    return f"all are finished; to run one again, remove its folder, then its trainings with: {prune}"


def error_of(result: JobReturn) -> Exception | None:
    """What ended a job, or None where it was completed."""
    if result.status == JobStatus.COMPLETED:
        return None
    try:
        with redirect_stderr(io.StringIO()):  # where Hydra tells of it in its own words
            _ = result.return_value
    except Exception as error:
        return error
    return None


def failure(error: Exception) -> JobReturn:
    """The result of a job that an error ended."""
    result = JobReturn(status=JobStatus.FAILED)
    result.return_value = error
    return result


def _unfinished(jobs: Sequence[Job]) -> list[Job]:
    return [job for job in jobs if not standing(job.run).finished]


def _is_untold(job: Job) -> bool:
    """Whether Weights & Biases has not heard of a run to its end, though it is finished."""
    return is_untold(job.run.config.tracking.mode, job.run.folder)


def _one_by_one(launch: Launch) -> Launch:
    """The same without the settings that Hydra copies into each job's result, and would keep to the sweep's end."""

    def each(words: Sequence[Sequence[str]], first: int) -> list[JobReturn]:
        results = []
        for number, job in enumerate(words, first):
            (result,) = launch([job], number)
            result.cfg = result.hydra_cfg = None
            results.append(result)
        return results

    return each


def _launch(todo: Sequence[Job], launch: Launch) -> dict[Job, JobReturn]:
    """What the jobs return; those that their launcher lost are launched once more."""
    results: dict[Job, JobReturn] = {}
    left = list(todo)
    for _ in range(ROUNDS):
        try:
            return results | dict(zip(left, launch([list(job.words) for job in left], 0), strict=True))
        except BrokenExecutor as error:
            log.warning("%s", message(error).splitlines()[0])
            ended = {job: run for job in left if (run := standing(job.run)).state in ENDED}
            results |= {job: _recorded(run) for job, run in ended.items()}
            left = [job for job in left if job not in results]
            if not left:
                return results
    lost = "killed, perhaps for want of memory; try fewer processes"
    return results | {job: failure(UserError(lost)) for job in left}


def _recorded(run: Standing) -> JobReturn:
    """The result of a run that ended, but whose process was lost."""
    return JobReturn(status=JobStatus.COMPLETED) if run.finished else failure(UserError(run.reason or ""))


def _wait_for_others(busy: list[Job]) -> list[Job]:
    """Of runs that other processes are at, those that are left when one of these processes is done or dead."""
    if busy:
        log.info("%s being written by other processes; waiting for these", plural(len(busy), "run"))
    while busy and all(is_held(run_lock(job.run.folder)) for job in busy):
        time.sleep(WAIT_S)
    return _unfinished(busy)


def _reason(job: Job, error: Exception) -> str:
    """Why a job failed; a defect, which is not the user's to mend, is logged with its traceback."""
    if isinstance(error, MISTAKES):
        return message(error)
    log.error("%s", job.run.name, exc_info=error)
    return f"{type(error).__name__}: {message(error)}"
