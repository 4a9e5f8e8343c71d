"""Processes to which something happens at an event of their files; each is a fork of the test's own."""

import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import cache
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus

from src.errors import UserError
from src.run import Run
from src.sweeps.jobs import Job, jobs_of
from src.sweeps.sweep import Sweep, failure
from tests.support import QUIET, command_line

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "shutil.rmtree"}
DEFECT = 99
"""Status of a process that told a traceback."""

RECORDS = ["iterations.csv", "layers.csv", "epochs.csv", "measures.safetensors", "masks.safetensors"]


def records(output_dir: Path) -> dict[str, bytes]:
    """The records of all runs below an output folder."""
    return {
        f"{folder.name}/{name}": (folder / name).read_bytes()
        for folder in (output_dir / "runs").iterdir()
        for name in RECORDS
    }


def left_over(output_dir: Path) -> list[str]:
    """What a process may leave and nobody needs."""
    ends = (".part", ".partial.safetensors")
    return [path.name for path in output_dir.rglob("*") if path.name.endswith(ends)]


def at_event(number: int, output_dir: Path, action: Callable[[int], object]) -> None:
    """Have `action` called instead of the n-th change of a file below the folder, in this process, for ever."""
    seen = 0

    def hook(event, given):
        nonlocal seen
        writes = event == "open" and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (writes or event in CHANGES) and str(given[0]).startswith(str(output_dir)):
            seen += 1
            if seen > number:
                action(seen)

    sys.addaudithook(hook)


def fork(words: list[str], before: Callable[[], object] = lambda: None) -> int:
    """The process id of a child that does what the words say."""

    def whole() -> int:
        done = command_line(*words)
        return DEFECT if "Traceback" in done.stderr else done.returncode

    return _forked(before, whole)


@cache
def composed(*words: str) -> tuple[Job, ...]:
    """The jobs of a command. Hydra takes longer to make them than they take to train."""
    return tuple(jobs_of([*QUIET, *(word for word in words if word != "-m")]))


def fork_composed(
    jobs: Sequence[Job], output_dir: Path, before: Callable[[], object] = lambda: None, stacked: bool = False
) -> int:
    """The process id of a child that does what `src.main` does once the jobs of a command are composed."""
    from src.execution.execute import execute, execute_together

    configs = {job.words: replace(job.run.config, output_dir=str(output_dir)) for job in jobs}

    def launch(words: Sequence[Sequence[str]], _: int) -> list[JobReturn]:
        todo = [configs[tuple(job)] for job in words]
        runs = [run for group in ([todo] if stacked else [[one] for one in todo])
                for run in execute_together(group, stacked)]  # fmt: skip
        return [failure(run.error) if run.error else JobReturn(status=JobStatus.COMPLETED) for run in runs]

    def work() -> int:
        status, err = 0, io.StringIO()
        with redirect_stdout(io.StringIO()), redirect_stderr(err):
            try:
                if len(jobs) == 1 and not stacked:
                    execute(*configs.values())
                else:
                    Sweep([Job(words, Run(config)) for words, config in configs.items()]).run(launch, not stacked)
            except (UserError, OSError):
                status = 1
        return DEFECT if "Traceback" in err.getvalue() else status

    return _forked(before, work)


def _forked(before: Callable[[], object], work: Callable[[], int]) -> int:
    child = os.fork()
    if child == 0:
        status = DEFECT
        try:
            before()
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def status_of(child: int) -> int:
    """What a shell would tell of a child's end: minus the signal's number, or the exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_after(child: int, begun: Callable[[], bool], seconds: float) -> int:
    """Kill -9 a child when it has worked for some seconds of processor time since it began, if it has not ended."""
    while not begun() and not _has_ended(child):
        time.sleep(0.002)
    deadline = worked_s(child) + seconds
    while worked_s(child) < deadline and not _has_ended(child):
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)  # a zombie does not mind
    return status_of(child)


def worked_s(process: int) -> float:
    """Processor time of a process, to 10 ms."""
    used = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def free_s() -> float:
    """Seconds since some moment in which nothing here waited for a core; always 0 where Linux does not tell.

    On a quiet machine it goes as the clock does, on a crowded one it stands.
    """
    try:
        some = Path("/proc/pressure/cpu").read_text().splitlines()[0]
    except OSError:
        return 0.0
    return time.monotonic() - int(some.rpartition("total=")[2]) / 1e6


def _has_ended(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
