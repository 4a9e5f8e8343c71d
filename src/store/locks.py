"""Locks: of several processes or machines that share a folder, one does a piece of work."""

import errno
import tempfile
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLease, Timeout

try:
    import fcntl
except ImportError:  # Windows, whose locks filelock takes by other means
    fcntl = None  # type: ignore[assignment]

NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}
"""What a file system without locks answers."""

LEASE_S = 60.0
"""A lease that its owner has not renewed for so long is free: the owner is dead."""


def acquire(path: Path, until: ExitStack) -> bool:
    """Take the lock at `path`, held until `until` closes; False where another process has it.

    It is a lock of the kernel's, which falls with its process, however that ends; on a file system that has no such
    locks it is a lease, renewed in the background. A lease that looks abandoned is watched for a while before it is
    taken: its age is told by another machine's clock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock: BaseFileLock = FileLock(path)
    patience = 0.0
    if not has_locks(path.parent):
        path = _lease(path)
        lock, patience = SoftFileLease(path, lease_duration=LEASE_S), 1.2 * LEASE_S if _is_old(path) else 0.0
    try:
        until.enter_context(lock.acquire(timeout=patience))
    except Timeout:
        return False
    return True


@cache
def has_locks(folder: Path) -> bool:
    """Whether the file system of `folder` has locks that fall with their process."""
    if fcntl is None:
        return True
    with tempfile.TemporaryFile(dir=folder) as probe:
        try:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in NO_LOCKS
    return True


def run_lock(folder: Path) -> Path:
    """What the process that writes a run's `folder`, `<output_dir>/runs/<name>`, holds."""
    return folder.parents[1] / "locks" / f"{folder.name}.lock"


def is_held(path: Path) -> bool:
    """Whether a living process has the lock at `path`."""
    if _lease(path).exists():
        return not _is_old(_lease(path))
    if not path.exists():
        return False
    try:
        with ExitStack() as until:
            return not acquire(path, until)
    except OSError:  # a full disk, or one that is only read: nothing could hold on to it
        return False


def _lease(path: Path) -> Path:
    return path.with_suffix(".lease")


def _is_old(lease: Path) -> bool:
    """Whether a lease's time is far from now, before or after."""
    try:
        return abs(time.time() - lease.stat().st_mtime) > LEASE_S
    except OSError:
        return False
