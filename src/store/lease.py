"""Leases: locks for file systems without locks, which a dead owner loses after a while."""

import os
import threading
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

LEASE_S = 60.0
"""A lease that its owner has not renewed for so long is free: the owner is dead."""


def lease(path: Path, until: ExitStack, seconds: float = LEASE_S) -> bool:
    """Take the lease at `path`, renewed in the background until `until` closes; False where it has a living owner."""
    if not _take(path, seconds):
        return False
    stop = threading.Event()
    renewing = threading.Thread(target=_renew, args=(path, seconds / 4, stop), daemon=True)
    renewing.start()

    def release() -> None:
        stop.set()
        renewing.join()
        path.unlink(missing_ok=True)

    until.callback(release)
    return True


def _take(path: Path, seconds: float) -> bool:
    for _ in range(2):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            return True
        except FileExistsError:
            if not _remove_stale(path, seconds):
                return False
    return False


def _remove_stale(path: Path, seconds: float) -> bool:
    """Remove the lease of a dead owner. Ages are told by the file system's clock, which all machines share."""
    aside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        aside.touch()
        now = aside.stat().st_mtime
        if now - path.stat().st_mtime <= seconds:
            return False
        os.replace(path, aside)  # of several that see it stale, one gets it
        if now - aside.stat().st_mtime <= seconds:  # another had just taken it anew: give it back
            os.link(aside, path)
            return False
        return True
    except FileNotFoundError:  # released, or removed by another, in between
        return True
    finally:
        aside.unlink(missing_ok=True)


def _renew(path: Path, every: float, stop: threading.Event) -> None:
    while not stop.wait(every):
        try:
            os.utime(path)
        except FileNotFoundError:
            return
