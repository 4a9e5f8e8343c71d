"""One run, from settings to a finished folder of records."""

import logging
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from omegaconf import OmegaConf

from src.assembly import build_plan, build_run_id, build_spec, choose_device
from src.config import Config
from src.data import load_dataset
from src.drivers import drive
from src.errors import UserError
from src.figures import run_figure
from src.initial_state import read_initial_state
from src.models import build_model, prunable_names
from src.naming import method_name, run_name
from src.progress import Progress
from src.requests import Record
from src.settings import settings_dict
from src.store.rows import epoch_row, epoch_rows, iteration_row, layer_rows
from src.store.runs import RunFolder
from src.store.trainings import TrainingStore
from src.tracking import Tracker, open_tracker
from src.training.solo import SoloEngine
from src.training.spec import TrainingSpec
from src.training.state import TrainingState
from src.trajectory import Layout, trajectory

log = logging.getLogger(__name__)


def execute(config: Config) -> Path:
    """Run, go on with, or recognise as finished the trajectory that `config` describes; its folder.

    All input is checked before anything is written. Raises UserError for what a user can mend.
    """
    spec, plan = build_spec(config), build_plan(config)
    identity = build_run_id(config, spec)
    root = Path(config.output_dir)
    folder = RunFolder(root / "runs" / run_name(config, identity), identity, plan.iterations, config.record.weights)
    if folder.finished:
        log.info("%s is finished; nothing to do (delete the folder to run it again)", folder.path.name)
        return folder.path
    device = choose_device(config.device)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    engine = _engine(config, spec, device)
    lock = FileLock(root / "runs" / f".{folder.path.name}.lock")
    try:
        with lock.acquire(blocking=False):
            _run(config, engine, folder, TrainingStore(root / "trainings", device))
    except Timeout:
        raise UserError(f"{folder.path} is being written by another process; wait for it or stop it") from None
    return folder.path


def _engine(config: Config, spec: TrainingSpec, device: torch.device) -> SoloEngine:
    dataset = load_dataset(
        config.dataset.name,
        Path(config.dataset.root),
        config.dataset.train_size,
        config.dataset.test_size,
        statistics=config.dataset.statistics.value,
    )
    model = build_model(config.model.name, dataset.image_shape, dataset.classes, config.seed)
    if config.init_from is not None:
        model.load_state_dict(read_initial_state(Path(config.init_from), model.state_dict()))
    return SoloEngine(spec, dataset, model, device)


def _run(config: Config, engine: SoloEngine, folder: RunFolder, store: TrainingStore) -> None:
    plan, model = build_plan(config), engine.model
    layout = Layout(prunable_names(model), [name for name, _ in model.named_buffers()])
    folder.open(OmegaConf.to_yaml(OmegaConf.structured(config)))
    position = folder.position(engine.device)
    done = position.iteration if position else 0
    if position:
        log.info("%s goes on with iteration %d of %d", folder.path.name, done, plan.iterations)
    progress = Progress(folder.path.name, plan.iterations, config.trainer.epochs, done)
    tracker = _tracker(config, folder)
    for row, layers in folder.rows():
        tracker.log_iteration(row, layers)
    status = "failed"

    def after_epoch(iteration: int, state: TrainingState) -> None:
        tracker.log_epoch(epoch_row(iteration, state.history[-1]))
        progress.epoch(iteration, state)

    def record(result: Record) -> None:
        folder.write(result)
        for epoch in epoch_rows(result):
            tracker.log_epoch(epoch)
        tracker.log_iteration(iteration_row(result), layer_rows(result))
        progress.iteration(result)

    try:
        drive(
            trajectory(plan, engine.initial, layout, position),
            engine,
            store,
            record,
            after_epoch,
            config.trainer.checkpoint_every,
        )
        folder.finish()
        status = "finished"
        tracker.log_records(folder.path / "iterations.csv")
        tracker.log_figures([run_figure(folder.path, folder.path / "curves.png")])
    except UserError as error:
        folder.fail(str(error))
        raise
    finally:
        progress.close()
        tracker.finish(status)


def _tracker(config: Config, folder: RunFolder) -> Tracker:
    return open_tracker(
        config.tracking.mode,
        run_id=folder.identity,
        name=folder.path.name,
        group=config.experiment_name,
        tags=[config.dataset.name, config.model.name, method_name(config.prune), config.prune.scope.value],
        config=settings_dict(config),
        folder=folder.path,
        project=config.tracking.project,
        entity=config.tracking.entity,
    )
