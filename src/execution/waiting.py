"""How a CPU's threads wait for each other, and how many there are. Imports no PyTorch.

A thread that spins until the others have come answers at once, and costs nothing while every thread has a core. Where
other processes want the cores, it spins away the time slices of those it waits for: an epoch took a hundred times as
long. So threads spin on a quiet machine, and sleep while their own waiting for a core says that they share it.
"""

import ctypes
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

ROOT = Path("/")

SPIN = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "50000", "KMP_BLOCKTIME": "1"}
"""GNU's OpenMP, which PyTorch's wheels for Linux have: about a millisecond, and not at all where it has more threads
than cores; Intel's and LLVM's: a millisecond."""

TICK_S = 0.2
"""Between two looks."""

SHARED = 0.1
"""Seconds that all threads together waited for a core, per second, from which on it is shared."""

PATIENT_S = 0.5, 8.0
"""How long threads sleep before spinning is tried again: the first time, and at most."""


def prepare(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set for this process and those that it starts how threads wait, unless the user did; before PyTorch is loaded."""
    if "torch" not in sys.modules and not SPIN.keys() & environ.keys():
        environ.update(SPIN)


def choose_threads(asked: int | None) -> int:
    """Set PyTorch's number of threads, `asked` or what the process may really use, and say it; the number.

    Never more than PyTorch's own choice, the physical cores; the user's OMP_NUM_THREADS stays as it is.
    """
    import torch

    number, why = torch.get_num_threads(), f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS')}"
    if asked is not None:
        number, why = asked, f"threads={asked}"
    elif "OMP_NUM_THREADS" not in os.environ:
        usable, why = cores()
        number = min(number, usable)
    if asked is not None or number != torch.get_num_threads():
        torch.set_num_threads(number)
    _say(number, why)
    return number


@cache
def _say(number: int, why: str) -> None:
    """Once in a process, however many runs it does."""
    log.info("CPU threads: %d (%s)", number, why)


def cores(root: Path = ROOT) -> tuple[int, str]:
    """How many cores this process may use, and what says so: its affinity, a container's quota, or Slurm."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = [(usable, f"{usable} cores")]
    if (quota := _quota(root)) is not None:
        found.append((max(math.floor(quota), 1), f"a quota of {quota:g} cores"))
    if (task := os.environ.get("SLURM_CPUS_PER_TASK", "")).isdigit():
        found.append((max(int(task), 1), f"SLURM_CPUS_PER_TASK={task}"))
    return min(found, key=lambda pair: pair[0])


def _quota(root: Path) -> float | None:
    """Cores that the control group of this process, or one around it, may use; None without a limit."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    found: list[float] = []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        own = top / path.lstrip("/")
        # inside a container the path is the host's, and its own group is what is mounted
        for group in (own, *own.parents) if own.is_dir() else (top,):
            found += _limit(group)
            if group == top:
                break
    return min(found, default=None)


def _limit(group: Path) -> list[float]:
    """The quota of one group of version 2 or 1, in cores; empty without."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((group / name).read_text() for name in names).split()
        except (OSError, ValueError):
            continue
        return [int(quota) / int(period)] if quota not in ("max", "-1") else []
    return []


@contextmanager
def sharing(threads: int) -> Iterator[None]:
    """Let threads sleep instead of spin while others want the cores, where `prepare` has set it so."""
    library = _gnu_openmp() if os.environ.get("GOMP_SPINCOUNT") == SPIN["GOMP_SPINCOUNT"] else None
    if threads == 1 or library is None or _waited_s() is None:
        yield
        return
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(library, threads, over), name="waiting", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(library: ctypes.CDLL, threads: int, over: threading.Event) -> None:
    """Spin while cores are free; after a tick that says otherwise, sleep, each time longer."""
    patient_s, quiet = PATIENT_S[0], 0
    while True:
        before, start = _waited_s() or 0.0, time.monotonic()
        if over.wait(TICK_S):
            return
        if ((_waited_s() or 0.0) - before) / (time.monotonic() - start) < SHARED:
            quiet += 1
            continue
        patient_s = PATIENT_S[0] if quiet > 1 else min(2 * patient_s, PATIENT_S[1])
        quiet = 0
        with _asleep(library, threads):
            if over.wait(patient_s):
                return


@contextmanager
def _asleep(library: ctypes.CDLL, threads: int) -> Iterator[None]:
    """While idle threads make more than there are cores, libgomp lets none spin (its `gomp_throttled_spin_count_var`).

    The idle ones are the team of a thread that sleeps; they go with it.
    """
    begun, over = threading.Event(), threading.Event()
    idle = max(library.omp_get_num_procs() + 2 - threads, 2)

    def hold() -> None:
        library.GOMP_parallel(ctypes.CDLL(None).free, None, idle, 0)  # a call that does nothing, in each
        begun.set()
        over.wait()

    holder = threading.Thread(target=hold, name="idle", daemon=True)
    holder.start()
    try:
        begun.wait()
        yield
    finally:
        over.set()
        holder.join()


def _gnu_openmp() -> ctypes.CDLL | None:
    """The library that PyTorch has loaded; None where it is another, or the system does not tell."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return None
    paths = {line.split(maxsplit=5)[5] for line in lines if "libgomp" in line}
    return ctypes.CDLL(paths.pop()) if len(paths) == 1 else None


def _waited_s() -> float | None:
    """Seconds that this process's threads have been ready and without a core; None where the system does not tell."""
    total = None
    for path in Path("/proc/self/task").glob("*/schedstat"):
        try:
            total = (total or 0.0) + int(path.read_text().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):  # a thread that has ended
            continue
    return total
