"""What a user sees while a run goes on."""

import logging
import sys
import time

from tqdm import tqdm

from src.requests import Record
from src.store.rows import HEADLINE
from src.training.state import TrainingState

log = logging.getLogger(__name__)


class Progress:
    """A bar over all epochs of a run on a terminal, and one line per iteration everywhere."""

    def __init__(self, name: str, iterations: int, epochs: int, done: int) -> None:
        self.iterations = iterations
        self._epochs = epochs
        self._name = name
        self._started = time.monotonic()
        self._first = done
        self._headline = ""
        self._bar = tqdm(
            total=(iterations + 1) * epochs,
            initial=done * epochs,
            disable=None,
            unit="epoch",
            desc=name,
            dynamic_ncols=True,
            leave=False,
            file=sys.stderr,
        )

    def epoch(self, iteration: int, state: TrainingState) -> None:
        """An epoch has ended."""
        accuracy = state.history[-1].test.accuracy
        self._bar.n = iteration * self._epochs + len(state.history)
        self._bar.set_postfix_str(
            f"iteration {iteration}/{self.iterations}, epoch {len(state.history)}/{self._epochs}, "
            f"accuracy {accuracy:.2f} %{self._headline}"
        )

    def iteration(self, record: Record) -> None:
        """An iteration is recorded."""
        alive = sum(int(mask.sum()) for mask in record.masks.values())
        percent = 100 * alive / sum(mask.numel() for mask in record.masks.values())
        pqi = float(record.measures.pqi_global[HEADLINE])
        self._headline = f", {percent:.3g} % remaining, PQI {pqi:.4f}"
        self._bar.n = (record.iteration + 1) * self._epochs
        self._bar.refresh()
        done = record.iteration + 1 - self._first
        left = (time.monotonic() - self._started) / done * (self.iterations - record.iteration)
        with tqdm.external_write_mode(file=sys.stdout):
            log.info(
                "%s  iteration %d/%d  accuracy %.2f %%%s  time left %s",
                self._name,
                record.iteration,
                self.iterations,
                record.evaluated.test.accuracy,
                self._headline,
                tqdm.format_interval(left),
            )

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()
