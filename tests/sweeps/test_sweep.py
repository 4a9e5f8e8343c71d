"""What a sweep launches, and what it tells in the end."""

from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest
from hydra.core.utils import JobReturn, JobStatus

from src.errors import Busy, UserError
from src.sweeps.jobs import Job, jobs_of
from src.sweeps.sweep import Sweep, failure
from tests.sweeps.synthetic import write_run


class Launcher:
    """Writes finished runs; `fails` maps a seed to the errors that its launches end with, one after the other."""

    def __init__(self, jobs: list[Job], fails: dict[int, list[Exception]] | None = None) -> None:
        self.jobs = {job.words: job for job in jobs if isinstance(job, Job)}
        self.fails = fails or {}
        self.launched: list[list[int]] = []

    def __call__(self, words, first_number):
        assert first_number == 0
        jobs = [self.jobs[tuple(job)] for job in words]
        self.launched.append([job.run.config.seed for job in jobs])
        return [self.run(job) for job in jobs]

    def run(self, job: Job) -> JobReturn:
        errors = self.fails.get(job.run.config.seed)
        if not errors:
            write_run(job)
            return JobReturn(status=JobStatus.COMPLETED)
        error = errors.pop(0)
        if isinstance(error, BrokenExecutor):
            raise error
        return failure(error)


def sweep(tmp_path: Path, *words: str) -> tuple[Sweep, list[Job]]:
    found = jobs_of([*words, f"output_dir={tmp_path}"])
    return Sweep(found), found


def test_what_is_finished_is_not_launched(tmp_path):
    asked, found = sweep(tmp_path, "seed=0,1,2")
    write_run(found[1])
    launcher = Launcher(found)
    assert len(asked.run(launcher)) == 2
    assert launcher.launched == [[0, 2]]
    assert asked.run(launcher) == []
    assert launcher.launched == [[0, 2]], "nothing is left to launch"


def test_a_serial_sweep_keeps_no_settings_of_its_jobs(tmp_path):
    asked, found = sweep(tmp_path, "seed=0,1,2")
    numbers = []

    def launch(words, first_number):
        ((_,), number) = words, first_number
        numbers.append(number)
        (job,) = [job for job in found if job.words == tuple(words[0])]
        write_run(job)
        return [JobReturn(status=JobStatus.COMPLETED, cfg={"seed": number}, hydra_cfg={}, overrides=words[0])]

    results = asked.run(launch, serial=True)
    assert numbers == [0, 1, 2]
    assert [(result.cfg, result.hydra_cfg) for result in results] == [(None, None)] * 3
    assert [tuple(result.overrides) for result in results] == [job.words for job in found]


def test_failures_are_told_at_the_end_and_the_rest_goes_on(tmp_path):
    asked, found = sweep(tmp_path, "seed=0,1,2,3")
    launcher = Launcher(found, {1: [UserError("the loss became nan")], 2: [MemoryError("no memory")]})
    with pytest.raises(UserError) as error:
        asked.run(launcher)
    told = str(error.value)
    assert told.startswith("2 of 4 runs failed")
    assert f"{found[1].run.folder.name}\n    the loss became nan\n" in told
    assert "MemoryError: no memory" in told
    for job in found[1:3]:
        assert f"again: python -m src.main {' '.join(job.words)} hydra.mode=RUN" in told
    assert launcher.launched == [[0, 1, 2, 3]]
    asked.run(launcher)
    assert launcher.launched[1:] == [[1, 2]]


def test_a_bad_override_fails_alone(tmp_path):
    asked, found = sweep(tmp_path, "prune.p=0.5,1.5,0.2")
    with pytest.raises(UserError) as error:
        asked.run(Launcher(found))
    told = str(error.value)
    assert told.startswith("1 of 3 runs failed")
    assert "prune.p=1.5 is not allowed" in told
    assert all(job.run.folder.is_dir() for job in found if isinstance(job, Job))


def test_overrides_that_are_all_bad_in_the_same_way_are_one_message(tmp_path):
    with pytest.raises(UserError, match=r"^trainer\.lr=-1\.0 is not allowed: it must be above 0 and at most 1e\+30$"):
        sweep(tmp_path, "trainer.lr=-1", "seed=0,1")


def test_runs_that_the_launcher_lost_are_launched_once_more(tmp_path):
    asked, found = sweep(tmp_path, "seed=0,1,2")
    launcher = Launcher(found, {1: [BrokenExecutor("a worker was killed")]})
    assert len(asked.run(launcher)) == 3
    assert launcher.launched == [[0, 1, 2], [1, 2]]


def test_and_are_failures_where_that_does_not_help(tmp_path):
    asked, found = sweep(tmp_path, "seed=0,1,2")
    launcher = Launcher(found, {1: [BrokenExecutor("a worker was killed")] * 2})
    with pytest.raises(UserError, match=r"(?s)2 of 3 runs failed.*killed, perhaps for want of memory"):
        asked.run(launcher)


def test_a_run_that_failed_before_the_launcher_was_lost_keeps_its_reason(tmp_path):
    asked, found = sweep(tmp_path, "seed=0,1")

    def launch(words, first_number):
        if len(words) == 2:
            write_run(found[0], 1, "failed", "the loss became nan")
            raise BrokenExecutor("a worker was killed")
        return Launcher(found)(words, first_number)

    with pytest.raises(UserError, match=r"(?s)1 of 2 runs failed.*the loss became nan"):
        asked.run(launch)


def test_runs_of_another_process_are_seen_to_when_it_is_gone(tmp_path):
    asked, found = sweep(tmp_path, "seed=0,1,2")
    launcher = Launcher(found, {0: [Busy("another process is at it")], 2: [Busy("another process is at it")]})
    inner = launcher.run

    def run(job):
        result = inner(job)
        if job.run.config.seed == 2 and not job.run.folder.exists():
            write_run(job)  # the other process finishes it
        return result

    launcher.run = run
    asked.run(launcher)
    assert launcher.launched == [[0, 1, 2], [0]]


def test_a_launcher_s_own_error_is_not_hidden(tmp_path):
    asked, _ = sweep(tmp_path, "seed=0")

    def launch(words, first_number):
        raise RuntimeError(f"no srun here for {len(words)} jobs, {first_number}")

    with pytest.raises(RuntimeError, match="no srun"):
        asked.run(launch)
