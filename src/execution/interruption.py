"""What SIGINT and SIGTERM do to a process that trains: it ends with the epoch, or soon, and can be gone on with."""

import logging
import signal
from types import FrameType
from typing import Any

from src.errors import Interrupted

log = logging.getLogger(__name__)

PATIENCE_S = 2.5
"""How long an epoch may still take before the process ends within it."""


class Interruption:
    """While it is entered, the first signal asks for an end, which `check` brings about, and a second one is deadly.

    Signals that somebody else in this process has taken, as a cluster's launcher, are left to it.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)
            if before in (signal.SIG_DFL, signal.default_int_handler):
                try:
                    self._before[number] = signal.signal(number, self._ask)
                except ValueError:  # not in the main thread, where alone signals can be taken
                    break
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raises Interrupted where a signal has come."""
        if self.asked is not None:
            _alarm(0)
            raise Interrupted(self.asked)

    def _ask(self, number: int, _: FrameType | None) -> None:
        self.asked = number
        for taken in self._before:
            signal.signal(taken, signal.SIG_DFL)
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, lambda *_: self.check())
        _alarm(PATIENCE_S)
        log.warning("ending with this epoch, or in %g s; again to end at once", PATIENCE_S)


def _alarm(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
