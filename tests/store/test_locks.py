"""Locks: one owner at a time, and a dead one loses."""

import errno
import multiprocessing
import os
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from src.store import locks
from src.store.locks import acquire, is_held

SECONDS = 1.0


def hold(path: Path, leased: bool, ready, release) -> None:
    """Another process: take the lock, or a lease of a second, and keep it until it is told."""
    if leased:
        no_locks()
    with ExitStack() as until:
        assert acquire(path, until)
        ready.set()
        release.poll(60)


def no_locks() -> None:
    locks.has_locks = lambda _: False
    locks.LEASE_S = SECONDS


@pytest.fixture(params=[False, True], ids=["locks", "leases"])
def leased(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(locks, "has_locks", lambda _: False)
        monkeypatch.setattr(locks, "LEASE_S", SECONDS)
    return request.param


@pytest.fixture
def owner(tmp_path, leased):
    """A process that has the lock `work.lock`, and the pipe that makes it release it.

    Not an event: to set one waits for those who sleep on it, and for ever where one of them is suspended.
    """
    context = multiprocessing.get_context("spawn")
    ready, (told, release) = context.Event(), context.Pipe(duplex=False)
    process = context.Process(target=hold, args=(tmp_path / "work.lock", leased, ready, told))
    process.start()
    assert ready.wait(60)
    yield process, release
    process.kill()
    process.join()


def can_take(path: Path) -> bool:
    with ExitStack() as until:
        return acquire(path, until)


def test_a_living_owner_keeps_it_and_a_killed_one_loses_it(tmp_path, owner, leased):
    path, (process, _) = tmp_path / "work.lock", owner
    time.sleep(2 * SECONDS * leased)  # renewed
    assert is_held(path)
    assert not can_take(path)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with ExitStack() as until:
        assert acquire(path, until)
        with ExitStack() as second:
            assert not leased or not acquire(path, second)
    assert can_take(path)


@pytest.mark.parametrize("leased", [True], indirect=True)
def test_an_owner_that_was_suspended_leaves_its_successors_lease_alone(tmp_path, owner):
    path, (process, release) = tmp_path / "work.lock", owner
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(1.5 * SECONDS)
    assert not is_held(path)
    with ExitStack() as until:
        assert acquire(path, until)
        release.send(None)
        os.kill(process.pid, signal.SIGCONT)
        process.join(10)
        assert process.exitcode == 0
        assert is_held(path)
        assert not can_take(path)


@pytest.mark.parametrize("leased", [True], indirect=True)
@pytest.mark.parametrize("age", [-3600, 3600])
def test_a_lease_of_another_machines_dead_process_is_free_whatever_its_date(tmp_path, owner, age):
    path, (process, _) = tmp_path / "work.lock", owner
    lease = path.with_suffix(".lease")
    content = lease.read_text()
    process.kill()
    process.join()
    assert socket.gethostname() in content
    lease.write_text(content.replace(socket.gethostname(), "elsewhere"))
    os.utime(lease, (time.time() + age, time.time() + age))
    assert not is_held(path)
    assert can_take(path)


def test_a_file_system_without_locks_gets_leases(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    locks.has_locks.cache_clear()
    monkeypatch.setattr(locks.fcntl, "flock", refuse)
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
