"""From settings to finished runs: engines, sessions and the driver put together."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from src.assembly import choose_device
from src.config.schema import Config
from src.data import Dataset, load_dataset
from src.errors import Busy, UserError
from src.execution.driver import Engine, Job, drive
from src.execution.progress import Progress, RunProgress, StackProgress
from src.execution.session import Run, Session
from src.initial_state import read_initial_state
from src.models import build_model, prunable_names
from src.requests import State
from src.store.trainings import TrainingStore
from src.training.execution import Execution
from src.training.parallel import ParallelEngine, is_first, own_device, process_group, processes
from src.training.solo import SoloEngine
from src.training.spec import TrainingSpec
from src.training.stacked.choice import stacks
from src.training.stacked.engine import StackedEngine
from src.trajectory import Layout, trajectory

STACK_INTERVAL_S = 20.0
"""Time between two checkpoints of a stack: it writes many states at once."""


@dataclass(frozen=True)
class Outcome:
    """What became of a run: its folder, and why it stopped where it did not finish."""

    folder: Path
    error: Exception | None = None


def execute(config: Config) -> Path:
    """Run, go on with, or recognise as finished the trajectory that `config` describes; its folder.

    All input is checked before anything is written. Raises UserError for what a user can mend.
    """
    (outcome,) = execute_together([config])
    if outcome.error is not None:
        raise outcome.error
    return outcome.folder


def execute_together(configs: Sequence[Config], stacked: bool = False) -> list[Outcome]:
    """The same for many runs at once: those of one data set, model, trainer and protocol share their trainings.

    `stacked`: their trainings advance together, where that is faster. What stops one run does not stop the others.
    """
    runs = [Run(config) for config in configs]
    groups: dict[Hashable, list[Run]] = {}
    for run in runs:
        if not run.is_finished():
            groups.setdefault(_common(run), []).append(run)
    for group in groups.values():
        try:
            if processes() > 1:
                _execute_in_parallel(group)
            else:
                _execute(group, stacked)
        except UserError as error:
            for run in group:
                run.error = run.error or error
    return [Outcome(run.folder.path, run.error) for run in runs]


def _common(run: Run) -> Hashable:
    """What runs must have in common to be trained by one engine."""
    config = run.config
    trainer = config.trainer
    return (
        _shared_spec(run),
        trainer.channels_last,
        trainer.compile,
        config.dataset.root,
        config.output_dir,
        config.device,
        config.threads,
    )


def _execute(group: Sequence[Run], stacked: bool) -> None:
    """Run a group to its end. Raises UserError where its input is not good, before anything is written."""
    config = group[0].config
    device = choose_device(config.device)
    dataset, initial = _inputs(group, device)
    spec, execution = _shared_spec(group[0]), _execution(config)
    engine: Engine
    if stacked and stacks(config.model.name, device):
        engine = StackedEngine(spec, dataset, initial.model, device, config.engine.max_members, execution)
    else:
        engine = SoloEngine(spec, dataset, initial.model, device, execution)
    _drive(group, engine, initial, device)


def _execute_in_parallel(group: Sequence[Run]) -> None:
    """The same as one of torchrun's processes: the first one drives, the others serve it."""
    config = group[0].config
    device = own_device(choose_device(config.device))
    dataset, initial = _inputs(group, device)
    with process_group(device):
        _work_in_parallel(group, dataset, initial, device)


def _work_in_parallel(group: Sequence[Run], dataset: Dataset, initial: "_InitialStates", device: torch.device) -> None:
    """A function of its own, so that the engine is gone before the processes part."""
    engine = ParallelEngine(_shared_spec(group[0]), dataset, initial.model, device, _execution(group[0].config))
    if not is_first():
        engine.serve()
        return
    try:
        _drive(group, engine, initial, device)
    finally:
        engine.close()


def _shared_spec(run: Run) -> TrainingSpec:
    return replace(run.spec, seed=0, initial_state=None)


def _execution(config: Config) -> Execution:
    return Execution(config.trainer.channels_last, config.trainer.compile.value)


def _inputs(group: Sequence[Run], device: torch.device) -> "tuple[Dataset, _InitialStates]":
    """Images, and all runs' initial states."""
    config = group[0].config
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    dataset = load_dataset(
        config.dataset.name,
        Path(config.dataset.root),
        config.dataset.train_size,
        config.dataset.test_size,
        statistics=config.dataset.statistics.value,
    )
    initial = _InitialStates(dataset, device)
    for run in group:
        initial.of(run.config)
    return dataset, initial


def _drive(group: Sequence[Run], engine: Engine, initial: "_InitialStates", device: torch.device) -> None:
    config, model = group[0].config, initial.model
    layout = Layout(prunable_names(model), [name for name, _ in model.named_buffers()])
    store = TrainingStore(Path(config.output_dir) / "trainings", device)
    with _sessions(group, device) as sessions:
        jobs = []
        for session in sessions:
            start = initial.of(session.run.config)
            steps = trajectory(session.run.plan, start, layout, session.position)
            jobs.append(Job(steps, session.run.spec, start, session))
        drive(jobs, engine, store, config.trainer.checkpoint_every, STACK_INTERVAL_S if engine.ahead else 0)


@contextmanager
def _sessions(group: Sequence[Run], device: torch.device) -> Iterator[list[Session]]:
    """Sessions of the runs that no other process has; those that have not ended are ended, whatever happens."""
    together = StackProgress(group[0].plan.iterations, group[0].spec.epochs) if len(group) > 1 else None
    sessions: list[Session] = []
    try:
        for run in group:
            try:
                sessions.append(Session(run, device, together.add if together else _alone))
            except Busy as error:
                run.error = error
        yield sessions
    except Exception as error:
        for session in sessions:
            if not session.closed:
                session.fail(error)
        raise
    finally:
        for session in sessions:
            if not session.closed:
                session.interrupt()
        if together:
            together.close()


def _alone(run: Run, done: int) -> Progress:
    return RunProgress(run.name, run.plan.iterations, run.spec.epochs, done)


class _InitialStates:
    """Initial states by seed or file, each made once; `model` is one of the models."""

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self._dataset = dataset
        self._device = device
        self._states: dict[Hashable, State] = {}
        self.model: nn.Module

    def of(self, config: Config) -> State:
        """The state that every iteration of a run rewinds to, on the device."""
        key = config.seed, config.init_from
        if key not in self._states:
            self.model = build_model(config.model.name, self._dataset.image_shape, self._dataset.classes, config.seed)
            state: State = self.model.state_dict()
            if config.init_from is not None:
                state = read_initial_state(Path(config.init_from), state)
            self._states[key] = {name: tensor.detach().to(self._device, copy=True) for name, tensor in state.items()}
        return self._states[key]
