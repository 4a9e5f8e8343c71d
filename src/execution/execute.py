"""From settings to finished runs: engines, sessions and the driver put together."""

import logging
import shutil
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from src.config.schema import Config
from src.data.dataset import Dataset
from src.errors import as_user_error
from src.execution.device import choose_device, is_first, processes
from src.execution.driver import Engine, Task, drive, rehearse
from src.execution.initial_state import InitialStates
from src.execution.interruption import Interruption
from src.execution.progress import RunProgress
from src.execution.session import PICTURE, Session, draw
from src.execution.waiting import choose_threads, sharing
from src.records.integrity import is_finished
from src.records.schema import PIECES, read_status
from src.run import Run
from src.store.digest import digest, settings_of, training_id
from src.store.trainings import TrainingStore
from src.training.backend import Backend
from src.training.loop import SoloEngine
from src.training.spec import TrainingSpec
from src.trajectory import Plan, rehearsal, trajectory

log = logging.getLogger(__name__)


def execute(config: Config) -> Path:
    """Run, go on with, or recognise as finished the trajectory that `config` describes; its folder.

    All input is checked before anything is written. Raises UserError for what a user can mend.
    """
    (run,) = execute_together([config])
    if run.error is not None:
        raise run.error
    return run.folder


def execute_together(configs: Sequence[Config], stacked: bool = False) -> list[Run]:
    """The same for many runs at once: those of one data set, model, trainer and protocol share their trainings.

    `stacked`: their trainings advance together, where that is faster. What stops one run does not stop the others: it
    is the `error` of that run.
    """
    runs = [Run(config) for config in configs]
    groups: dict[Hashable, list[Run]] = {}
    for run in runs:
        try:
            _know_data(run)
            if _is_finished(run):
                _tidy(run)
            else:
                groups.setdefault(_common(run), []).append(run)
        except Exception as error:
            run.error = as_user_error(error, run.folder)
    for group in groups.values():
        try:
            _execute(group, stacked)
        except Exception as error:
            for run in group:
                if run.error is None and not _is_finished(run):
                    run.error = as_user_error(error, run.folder)
    return runs


def _know_data(run: Run) -> None:
    """See to it that the identity can tell the data by their content."""
    if run.config.dataset.content_digest() is None:
        run.config.dataset.load()


def _is_finished(run: Run) -> bool:
    """Whether there is nothing to do."""
    state = read_status(run.folder)
    return state is not None and state["id"] == run.identity and is_finished(run.folder, state)


def _tidy(run: Run) -> None:
    """Say that a run is finished, and do what a process that was killed right after that did not."""
    log.info(
        "%s is finished; nothing to do. To run it again, remove %s; to train it again as well, use another "
        "output_dir: finished trainings are kept in %s",
        run.name,
        run.folder,
        run.output_dir / "trainings",
    )
    shutil.rmtree(run.folder / PIECES, ignore_errors=True)
    if not (run.folder / PICTURE).exists():
        draw(run)


def _common(run: Run) -> Hashable:
    """What runs must have in common to be trained by one engine."""
    config = run.config
    trainer = config.trainer
    shared = digest(settings_of(_shared_spec(run)))
    return (
        shared,
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
    threads = choose_threads(config.threads)
    with sharing(threads if device.type == "cpu" else 1):
        if processes() > 1:
            _execute_in_parallel(group, device)
        else:
            _execute_alone(group, stacked, device)


def _execute_alone(group: Sequence[Run], stacked: bool, device: torch.device) -> None:
    config = group[0].config
    dataset = config.dataset.load()
    initial, group = _initial_states(dataset, device, group)
    if not group:
        return
    solo = SoloEngine(_shared_spec(group[0]), dataset, initial.model, device, _backend(config))
    engine: Engine = solo
    if stacked:
        from src.training.stacked import StackedEngine, stacks

        if stacks(solo):
            engine = StackedEngine(solo, config.engine.max_members)
    _drive(group, engine, initial, device)


def _initial_states(dataset: Dataset, device: torch.device, group: Sequence[Run]) -> tuple[InitialStates, list[Run]]:
    """The initial states, and the runs that have one; where a run has none, that is its error."""
    initial, found = InitialStates(dataset, device, []), []
    for run in group:
        try:
            initial.of(run, 0)
            found.append(run)
        except Exception as error:
            run.error = as_user_error(error, run.folder)
    return initial, found


def _execute_in_parallel(group: Sequence[Run], device: torch.device) -> None:
    """The same as one of torchrun's processes: the first one drives, the others serve it."""
    from src.training.parallel import own_device, process_group

    device = own_device(device)
    dataset = group[0].config.dataset.load()
    initial, group = _initial_states(dataset, device, group)
    if not group:
        return
    with process_group(device):
        _work_in_parallel(group, dataset, initial, device)


def _work_in_parallel(group: Sequence[Run], dataset: Dataset, initial: InitialStates, device: torch.device) -> None:
    """A function of its own, so that the engine is gone before the processes part."""
    from src.training.parallel import ParallelEngine

    engine = ParallelEngine(_shared_spec(group[0]), dataset, initial.model, device, _backend(group[0].config))
    if not is_first():
        with Interruption():
            engine.serve()
        return
    _drive(group, engine, initial, device)
    engine.close()


def _shared_spec(run: Run) -> TrainingSpec:
    return replace(run.spec, seed=0)


def _backend(config: Config) -> Backend:
    return Backend(config.trainer.channels_last, config.trainer.compile)


def _drive(group: Sequence[Run], engine: Engine, initial: InitialStates, device: torch.device) -> None:
    config = group[0].config
    store = TrainingStore(Path(config.output_dir) / "trainings", device)
    able = {run: initial.layout(run) for run in group if _is_able(run, engine, initial)}
    with Interruption() as interruption, _sessions(list(able), device, initial) as sessions:
        tasks = []
        for run, session in sessions.items():
            if session.last is not None:  # whose process was killed before it had tidied up
                store.discard_partial(training_id(run.spec, session.last))
            if session.complete:
                session.finish()
                continue
            start = initial.of(run, 0)
            steps = trajectory(_plan(run), start, able[run], session.position, announce=engine.stacked)
            tasks.append(Task(steps, run.spec, session, partial(initial.of, run), run.spec_digest))
        drive(tasks, engine, store, config.trainer.checkpoint_every, interruption)


def _plan(run: Run) -> Plan:
    config = run.config
    return Plan.of(config.prune, config.protocol, config.seed, config.record.neurons)


def _is_able(run: Run, engine: Engine, initial: InitialStates) -> bool:
    """Whether a run's method, score and patterns work on its network; where not, that is the run's error."""
    try:
        rehearse(rehearsal(_plan(run), initial.of(run, 0), initial.layout(run)), engine, run.config.seed)
    except Exception as error:
        run.error = error
    return run.error is None


@contextmanager
def _sessions(group: Sequence[Run], device: torch.device, initial: InitialStates) -> Iterator[dict[Run, Session]]:
    """Sessions of the runs that no other process has; those that have not ended are ended, whatever happens."""
    together = None
    if len(group) > 1:
        from src.execution.sweep_progress import StackProgress

        together = StackProgress()
    sessions: dict[Run, Session] = {}
    try:
        for run in group:
            try:
                sessions[run] = Session(run, device, together.add if together else RunProgress, initial)
            except Exception as error:  # one that is busy, or cannot be written, is that run's affair
                run.error = as_user_error(error, run.folder)
        yield sessions
    except Exception as error:
        for session in sessions.values():
            if not session.closed:
                session.fail(error)
        raise
    finally:
        for session in sessions.values():
            if not session.closed:
                session.interrupt()
        if together:
            together.close()
