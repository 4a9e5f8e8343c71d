"""One run while a process is at it: its folder, its mirror in Weights & Biases, and what the user sees."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from omegaconf import OmegaConf

from src.config.settings import settings_dict
from src.errors import as_user_error
from src.execution.initial_state import InitialStates
from src.execution.progress import Progress
from src.messages import TrainRequest
from src.records.provenance import code_state, now, provenance, without_secrets
from src.records.rows import epoch_row, epoch_rows
from src.records.timings import Stopwatch
from src.records.writer import Row, RunFolder
from src.run import Run
from src.tracking.tracker import Tracker, effective_mode, open_tracker
from src.training.state import EpochEnd
from src.trajectory import Record

log = logging.getLogger(__name__)

PICTURE = "curves.png"


class Session:
    """A run's folder, which this process writes from here on; listens to the driver.

    `lock` is given back at its end. `position` is the training to go on with, None where the run begins, `last` the
    one before it.
    """

    def __init__(self, run: Run, progress: Callable[[Run, int], Progress], initial: InitialStates) -> None:
        self.run = run
        self.lock = ExitStack()
        self.closed = False
        self._iteration: int | None = None
        device = initial.device
        settings, tracking = run.config, run.config.tracking
        config = without_secrets(settings_dict(settings))
        made = {"network": initial.about, "provenance": provenance(device, run.spec.precision)}
        summary = without_secrets(run.summary() | made)
        self._folder = RunFolder(run, initial.of(run, 0), summary)
        self.position = self._folder.open(OmegaConf.to_yaml(OmegaConf.create(config)), device)
        done = self._folder.done
        self.last = self._folder.pieces.start(done - 1, device)
        if self.position:
            log.info("%s goes on with iteration %d of %d", run.name, done, run.iterations)
        self._watch = Stopwatch(run.folder, run.setting, device.type)
        self._tracker = Tracker()
        if effective_mode(tracking.mode) != "none":
            from src.execution.mirror import run_info

            network = initial.about | {"multiply_adds": initial.multiply_adds}
            self._tracker = open_tracker(tracking.mode, run_info(run, summary, network, code_state()[1]))
        self._progress = progress(run, done)
        for rows, layers, epochs in self._folder.rows():
            self._tell(rows[0], layers, epochs)

    @property
    def complete(self) -> bool:
        """Whether all is recorded, and only the end is missing."""
        return self._folder.complete

    def record(self, record: Record) -> None:
        """An iteration has ended."""
        row, layers = self._folder.write(record)
        self._tell(row, layers, epoch_rows(record))
        self._progress.iteration(row)
        self._watch.iteration(record.iteration)

    def after_epoch(self, request: TrainRequest, end: EpochEnd, index: int, seconds: float) -> None:
        """An epoch has ended. A member of a stack tells Weights & Biases of its epochs at the iteration's end."""
        self._watch.epoch(seconds, len(end.members))
        latest = end.latest(index)
        if len(end.members) == 1 and request.until is None:
            missed = [latest] if self._iteration == request.iteration else end.state(index).history
            self._iteration = request.iteration
            for epoch in missed:  # those before an interruption, too
                self._tracker.log_epoch(epoch_row(request.iteration, epoch))
        self._progress.epoch(request.iteration, latest, seconds, len(end.members))

    def finish(self) -> None:
        """All is recorded."""
        self._folder.summary["provenance"]["end"] = now()
        self._folder.finish()
        self._tracker.log_records(self.run.folder / "iterations.csv")
        self._tracker.log_figures(draw(self.run))
        self._tracker.log_network(self.run.folder)
        self._close("finished")

    def fail(self, error: Exception) -> None:
        """The run stops here; the same command tries again from its last record."""
        self.run.error = error = as_user_error(error, self.run.folder)
        try:
            self._folder.fail(str(error) or type(error).__name__)
        except OSError as unwritten:
            log.warning("%s: that it failed could not be written: %s", self.run.name, unwritten)
        self._close("failed")

    def interrupt(self) -> None:
        """The process is about to end."""
        self._close("interrupted")

    def _tell(self, row: Row, layers: list[Row], epochs: list[Row]) -> None:
        """Weights & Biases hears of an iteration; it skips what it has heard."""
        for epoch in epochs:
            self._tracker.log_epoch(epoch)
        self._tracker.log_iteration(row, layers)

    def _close(self, status: str) -> None:
        self.closed = True
        self._progress.close()
        self._tracker.finish(status)
        self.lock.close()


def draw(run: Run) -> list[Path]:
    """The picture of a finished run, where it keeps one: a copy of the records, without which a run is as finished."""
    if not run.config.record.picture:
        return []
    try:
        from src.analysis.figures.single_run import run_figure

        return [run_figure(run.folder, run.folder / PICTURE)]
    except Exception as error:
        log.warning("%s is finished, but %s could not be drawn: %s", run.name, PICTURE, error)
        return []
