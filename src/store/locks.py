"""Locks: of several processes or machines that share a folder, one does a piece of work."""

import errno
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from src.store.lease import lease

try:
    import fcntl
except ImportError:  # Windows, whose locks filelock takes by other means
    fcntl = None  # type: ignore[assignment]

NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}
"""What a file system without locks answers."""


def acquire(path: Path, until: ExitStack) -> bool:
    """Take the lock at `path`, held until `until` closes; False where another process has it.

    It is a lock of the kernel's, which falls with its process, however that ends; on a file system that has no such
    locks it is a lease, which is free a minute after its process's end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not has_locks(path.parent):
        return lease(path.with_suffix(".lease"), until)
    try:
        until.enter_context(FileLock(path).acquire(blocking=False))
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
    if not path.exists() and not path.with_suffix(".lease").exists():
        return False
    with ExitStack() as until:
        return not acquire(path, until)
