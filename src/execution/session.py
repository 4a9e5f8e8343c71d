"""One run while it goes on: its folder, its mirror in Weights & Biases, and what the user sees."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import torch
from omegaconf import OmegaConf

from src.assembly import build_plan
from src.config.schema import Config
from src.errors import Busy
from src.execution.progress import Progress
from src.figures import run_figure
from src.naming import method_name, run_name
from src.requests import Record
from src.run_identity import build_run_id, build_spec
from src.config.settings import settings_dict
from src.store.claims import claim, run_lock
from src.store.rows import epoch_row, epoch_rows, iteration_row, layer_rows
from src.store.runs import Keeps, RunFolder
from src.store.timings import Stopwatch
from src.tracking import Tracker, open_tracker
from src.training.members import Standing

log = logging.getLogger(__name__)


class Run:
    """A run as its settings describe it: what is trained, pruned and recorded, and why it failed where it did."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.spec = build_spec(config)
        self.plan = build_plan(config)
        identity = build_run_id(config, self.spec)
        path = Path(config.output_dir) / "runs" / run_name(config, identity)
        keeps = Keeps(config.record.masks.value, config.record.weights)
        self.folder = RunFolder(path, identity, self.plan.iterations, keeps)
        self.error: Exception | None = None

    @property
    def name(self) -> str:
        return self.folder.path.name

    def is_finished(self) -> bool:
        """Whether there is nothing to do, which is said."""
        if self.folder.finished:
            log.info("%s is finished; nothing to do (delete the folder to run it again)", self.name)
        return self.folder.finished


class Session:
    """The process's hold on a run's folder, from which on it is written; listens to the driver.

    Raises Busy where another process has it. `position` is where the run goes on, None where it begins.
    """

    def __init__(self, run: Run, device: torch.device, progress: Callable[[Run, int], Progress]) -> None:
        self.run = run
        self._folder = run.folder
        self._closed = False
        self._ending = ExitStack()
        if not claim(run_lock(run.folder.path), self._ending):
            raise Busy(f"{run.folder.path} is being written by another process; wait for it or stop it")
        run.folder.open(OmegaConf.to_yaml(OmegaConf.structured(run.config)))
        self.position = run.folder.position(device)
        done = self.position.iteration if self.position else 0
        if self.position:
            log.info("%s goes on with iteration %d of %d", run.name, done, run.plan.iterations)
        self._watch = Stopwatch(run.folder.path, run.spec, device.type)
        self._progress = progress(run, done)
        self._tracker = _open_tracker(run)
        for row, layers in run.folder.rows():
            self._tracker.log_iteration(row, layers)

    def record(self, record: Record) -> None:
        """An iteration has ended."""
        self._folder.write(record)
        for epoch in epoch_rows(record):
            self._tracker.log_epoch(epoch)
        self._tracker.log_iteration(iteration_row(record), layer_rows(record))
        self._progress.iteration(record)
        self._watch.iteration(record.iteration)

    def after_epoch(self, iteration: int, standing: Standing, index: int, seconds: float) -> None:
        """An epoch has ended. A member of a stack tells Weights & Biases of its epochs at the iteration's end."""
        self._watch.epoch(seconds, len(standing.members))
        latest = standing.latest(index)
        if len(standing.members) == 1:
            self._tracker.log_epoch(epoch_row(iteration, latest))
        self._progress.epoch(iteration, latest)

    def finish(self) -> None:
        """All is recorded."""
        self._folder.finish()
        self._tracker.log_records(self._folder.path / "iterations.csv")
        self._tracker.log_figures([run_figure(self._folder.path, self._folder.path / "curves.png")])
        self._close("finished")

    @property
    def closed(self) -> bool:
        """Whether the run has come to an end."""
        return self._closed

    def fail(self, error: Exception) -> None:
        """The run stops here; the same command tries again from its last record."""
        self.run.error = error
        self._folder.fail(str(error) or type(error).__name__)
        self._close("failed")

    def interrupt(self) -> None:
        """The process is about to end."""
        self._close("interrupted")

    def _close(self, status: str) -> None:
        self._closed = True
        self._progress.close()
        self._tracker.finish(status)
        self._ending.close()


def _open_tracker(run: Run) -> Tracker:
    config = run.config
    return open_tracker(
        config.tracking.mode,
        run_id=run.folder.identity,
        name=run.name,
        group=config.experiment_name,
        tags=[config.dataset.name, config.model.name, method_name(config.prune), config.prune.scope.value],
        config=settings_dict(config),
        folder=run.folder.path,
        project=config.tracking.project,
        entity=config.tracking.entity,
    )
