"""A tracker that works beside the run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from pathlib import Path
from typing import Any

from src.records.schema import MASKS_FILE, NETWORKS_FILE
from src.tracking.metrics import Value
from src.tracking.tracker import Tracker
from src.tracking.wandb_run import FINISH_TIMEOUT_S, INIT_TIMEOUT_S, upload_limit_s

log = logging.getLogger(__name__)

TOGETHER_S = 2.0
"""Epochs of so many seconds are told together: each alone would cost twice as much, as two threads take turns."""

PATIENCE_S = 1.5
"""How long the end of an interrupted run waits for W&B."""

MARGIN_S = 30.0
"""How much longer the end of another run waits for the next step than W&B may take for it by its own limits."""

_in_vain: list[Future[None]] = []
"""What the end of a run has waited for in vain."""


class Background(Tracker):
    """A tracker that is opened and told by a thread of its own: a run waits for it at its end alone.

    `opened` opens it, and does not raise.
    """

    _steps = 0
    """What the thread has done so far, for all runs."""

    def __init__(self, opened: Callable[[], Tracker]) -> None:
        self._tracker = _thread().submit(opened)
        self._tracker.add_done_callback(_count)
        self._waiting: list[Callable[[Tracker], None]] = []
        self._told_at = time.monotonic()
        self._limit_s = INIT_TIMEOUT_S + FINISH_TIMEOUT_S + MARGIN_S

    def log_iteration(self, row: Mapping[str, Value], layers: Sequence[Mapping[str, Any]]) -> None:
        self._later(lambda tracker: tracker.log_iteration(row, layers))

    def log_epoch(self, row: Mapping[str, Value]) -> None:
        self._waiting.append(lambda tracker: tracker.log_epoch(row))
        if time.monotonic() - self._told_at >= TOGETHER_S:
            self._tell()

    def log_records(self, iterations_csv: Path) -> None:
        self._later(lambda tracker: tracker.log_records(iterations_csv))

    def log_figures(self, figures: Sequence[Path]) -> None:
        self._later(lambda tracker: tracker.log_figures(figures))

    def log_network(self, folder: Path) -> None:
        self._limit_s += upload_limit_s(folder / NETWORKS_FILE, folder / MASKS_FILE)
        self._later(lambda tracker: tracker.log_network(folder))

    def finish(self, status: str) -> None:
        ended = self._later(lambda tracker: tracker.finish(status))
        if all(waited.done() for waited in _in_vain):
            if status == "interrupted":
                wait([ended], PATIENCE_S)
            else:
                self._wait_while_it_goes_on(ended)
            if not ended.done():
                _in_vain.append(ended)
                log.warning("Weights & Biases is not waited for; the same command sends it what it missed")

    def _wait_while_it_goes_on(self, ended: Future[None]) -> None:
        steps = -1
        while not ended.done() and steps < Background._steps:
            steps = Background._steps
            wait([ended], self._limit_s)

    def _later(self, what: Callable[[Tracker], None]) -> Future[None]:
        self._waiting.append(what)
        return self._tell()

    def _tell(self) -> Future[None]:
        """Have the thread do all that waits, in its order."""
        waiting, self._waiting, self._told_at = self._waiting, [], time.monotonic()

        def told() -> None:
            tracker = self._tracker.result()
            for what in waiting:
                what(tracker)

        done = _thread().submit(told)
        done.add_done_callback(_count)
        return done


def _count(_: object) -> None:
    Background._steps += 1


@cache
def _thread() -> ThreadPoolExecutor:
    """The one of this process."""
    return ThreadPoolExecutor(1, "tracking")
