"""Locks: one owner at a time, and a dead one loses."""

import errno
import multiprocessing
import os
import signal
import time
from contextlib import ExitStack

import pytest

from src.store import locks
from src.store.locks import acquire, is_held


def hold(path: str, ready, seconds: float | None) -> None:
    """Another process: take the lock, or a lease of so many seconds, and keep it."""
    from pathlib import Path

    with ExitStack() as until:
        assert acquire(Path(path), until) if seconds is None else lease(Path(path), until, seconds)
        ready.set()
        time.sleep(60)


@pytest.mark.parametrize("seconds", [None, 1.0])
def test_a_living_owner_keeps_it_and_a_killed_one_loses_it(tmp_path, seconds):
    def take(until: ExitStack) -> bool:
        return acquire(path, until) if seconds is None else lease(path, until, seconds)

    path, context = tmp_path / "work.lock", multiprocessing.get_context("spawn")
    ready = context.Event()
    owner = context.Process(target=hold, args=(str(path), ready, seconds))
    owner.start()
    assert ready.wait(30)
    time.sleep(2 * (seconds or 0))  # renewed
    with ExitStack() as until:
        assert not take(until)
    os.kill(owner.pid, signal.SIGKILL)
    owner.join()
    time.sleep(1.5 * (seconds or 0))  # not renewed
    with ExitStack() as until:
        assert take(until)
        with ExitStack() as second:
            assert seconds is None or not take(second)
    with ExitStack() as until:
        assert take(until)


def test_a_file_system_without_locks_gets_leases(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    locks.has_locks.cache_clear()
    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    path = tmp_path / "work.lock"
    with ExitStack() as until, ExitStack() as other:
        assert acquire(path, until)
        assert (tmp_path / "work.lease").exists()
        assert not acquire(path, other)
        assert is_held(path)
    assert not is_held(path)
    locks.has_locks.cache_clear()


def test_what_nobody_locked_is_not_held(tmp_path):
    assert not is_held(tmp_path / "work.lock")
    with ExitStack() as until:
        assert acquire(tmp_path / "work.lock", until)
    assert not is_held(tmp_path / "work.lock")
