"""Processes to which something happens at an event of their files; each is a fork of the test's own."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support import command_line

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
    child = os.fork()
    if child == 0:
        status = DEFECT
        try:
            before()
            done = command_line(*words)
            status = DEFECT if "Traceback" in done.stderr else done.returncode
        finally:
            os._exit(status)
    return child


def status_of(child: int) -> int:
    """What a shell would tell of a child's end: minus the signal's number, or the exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_after(child: int, begun: Callable[[], bool], seconds: float) -> int:
    """Kill -9 a child some seconds after it has begun, where it is still there; its end."""
    while not begun() and not _has_ended(child):
        time.sleep(0.002)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not _has_ended(child):
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)  # a zombie does not mind
    return status_of(child)


def _has_ended(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
