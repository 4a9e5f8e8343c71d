"""Runs that stop where a test says."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from src.execution.session import Session
from src.trajectory import Record


@contextmanager
def interruption(in_iteration: int) -> Iterator[None]:
    """Runs are interrupted before they record this iteration."""
    record = Session.record

    def until(self: Session, given: Record) -> None:
        if given.iteration == in_iteration:
            raise KeyboardInterrupt
        record(self, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "record", until)
        yield
