"""From settings to finished runs: engines, sessions and the driver put together."""

import logging
import shutil
from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from src.config.schema import Config
from src.errors import Busy, as_user_error
from src.execution.device import choose_device, is_first, processes
from src.execution.driver import Engine, Task, drive, rehearse
from src.execution.initial_state import InitialStates
from src.execution.interruption import Interruption
from src.execution.progress import RunProgress
from src.execution.session import PICTURE, Session, draw
from src.execution.waiting import choose_threads, sharing
from src.files import remove_parts
from src.records.integrity import is_finished
from src.records.schema import PIECES, read_status
from src.run import Run
from src.store.digest import digest, settings_of, training_id
from src.store.locks import acquire, run_lock
from src.store.trainings import TrainingStore
from src.tracking.tracker import is_untold
from src.training.backend import Backend
from src.training.loop import SoloEngine
from src.training.spec import TrainingSpec
from src.trajectory import Plan, rehearsal, trajectory

log = logging.getLogger(__name__)

FINISHED = "%s is finished; nothing to do. To run it again, remove %s; trainings that runs share are kept in %s"


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
        with _error_of(run):
            if run.config.dataset.content_digest() is None:
                run.config.dataset.load()  # the identity tells the data by their content
            if _is_finished(run):
                log.info(FINISHED, run.name, run.folder, run.output_dir / "trainings")
                with suppress(OSError), ExitStack() as held:  # another process may just be writing it
                    if acquire(run_lock(run.folder), held):
                        _tidy(run)
                        if is_untold(run.config.tracking.mode, run.folder):
                            from src.execution.mirror import retell

                            retell(run, PICTURE)
            else:
                groups.setdefault(_common(run), []).append(run)
    for group in groups.values():
        try:
            _execute(group, stacked)
        except Exception as error:
            for run in group:
                if run.error is None and not _is_finished(run):
                    run.error = as_user_error(error, run.folder)
    return runs


@contextmanager
def _error_of(run: Run) -> Iterator[None]:
    """What goes wrong within is this run's affair, and stops no other."""
    try:
        yield
    except Exception as error:
        run.error = as_user_error(error, run.folder)


def _is_finished(run: Run) -> bool:
    """Whether there is nothing to do."""
    state = read_status(run.folder)
    return state is not None and state["id"] == run.identity and is_finished(run.folder, state)


def _tidy(run: Run) -> None:
    """Of a finished run, whose lock is held: do what a process that was killed at its end did not."""
    remove_parts(run.folder)
    shutil.rmtree(run.folder / PIECES, ignore_errors=True)
    if not (run.folder / PICTURE).exists():
        draw(run)


def _common(run: Run) -> Hashable:
    """What runs must have in common to be trained by one engine."""
    config, trainer = run.config, run.config.trainer
    shared = digest(settings_of(_shared_spec(run)))
    how = config.dataset.root, config.output_dir, config.device, config.threads
    return shared, trainer.channels_last, trainer.compile, *how


def _shared_spec(run: Run) -> TrainingSpec:
    return replace(run.spec, seed=0)


def _execute(group: Sequence[Run], stacked: bool) -> None:
    """Run a group to its end. Raises UserError where its input is not good, before anything is written."""
    config = group[0].config
    device = choose_device(config.device)
    threads = choose_threads(config.threads)
    alone = processes() == 1
    with sharing(threads if device.type == "cpu" else 1):
        if not alone:
            from src.training.parallel import own_device, process_group

            device = own_device(device)
        with torch.cuda.device(device) if device.type == "cuda" else nullcontext():  # of streams, graphs and NCCL
            initial = InitialStates(config.dataset.load(), device)
            for run in group:
                with _error_of(run):
                    initial.of(run, 0)
            group = [run for run in group if run.error is None]
            if group and alone:
                _drive(group, _engine(group[0], initial, stacked), initial)
            elif group:
                with process_group(device):
                    _work_in_parallel(group, initial)


def _backend(run: Run) -> Backend:
    return Backend(run.config.trainer.channels_last, run.config.trainer.compile)


def _engine(run: Run, initial: InitialStates, stacked: bool) -> Engine:
    solo = SoloEngine(_shared_spec(run), initial.dataset, initial.model, initial.device, _backend(run))
    if stacked:
        from src.training.stacked import StackedEngine, stacks

        if stacks(solo):
            return StackedEngine(solo, run.config.engine.max_members)
    return solo


def _work_in_parallel(group: Sequence[Run], initial: InitialStates) -> None:
    """As one of torchrun's processes: the first one drives, the others serve it.

    A function of its own, so that the engine is gone before the processes part.
    """
    from src.training.parallel import ParallelEngine

    run = group[0]
    engine = ParallelEngine(_shared_spec(run), initial.dataset, initial.model, initial.device, _backend(run))
    if not is_first():
        with Interruption():
            engine.serve()
        return
    _drive(group, engine, initial)
    engine.close()


def _drive(group: Sequence[Run], engine: Engine, initial: InitialStates) -> None:
    """To the ends of those whose method, score and patterns work on the network."""
    config = group[0].config
    store = TrainingStore(Path(config.output_dir) / "trainings", initial.device)
    for run in group:
        with _error_of(run):
            rehearse(rehearsal(_plan(run), initial.of(run, 0), initial.layout(run)), engine, run.config.seed)
    able = [run for run in group if run.error is None]
    with Interruption() as interruption, _sessions(able, initial) as sessions:
        tasks = []
        # ahead of the others, trainings would not share the batches of an iteration with theirs
        apart = all(run.config.prune.decided_on != "iteration" for run in sessions) or initial.device.type != "cpu"
        for run, session in sessions.items():
            if session.last is not None:  # whose process was killed before it had tidied up
                store.discard_partial(training_id(run.spec, session.last))
            if session.complete:
                session.finish()
                continue
            start, layout = initial.of(run, 0), initial.layout(run)
            steps = trajectory(_plan(run), start, layout, session.position, announce=engine.stacked and apart)
            tasks.append(Task(steps, run.spec, session, partial(initial.of, run), run.spec_digest))
        drive(tasks, engine, store, config.trainer.checkpoint_every, interruption)


def _plan(run: Run) -> Plan:
    config = run.config
    return Plan(config.prune, config.protocol, config.seed, config.record.neurons)


@contextmanager
def _sessions(group: Sequence[Run], initial: InitialStates) -> Iterator[dict[Run, Session]]:
    """Sessions of the runs that no other process has; those that have not ended are ended, whatever happens."""
    together = None
    if len(group) > 1:
        from src.execution.sweep_progress import StackProgress

        together = StackProgress()
    sessions: dict[Run, Session] = {}
    try:
        for run in group:
            with _error_of(run), ExitStack() as held:  # one that is busy, or cannot be written
                if not acquire(run_lock(run.folder), held):
                    raise Busy(f"{run.folder} is being written by another process; wait for it or stop it")
                if _is_finished(run):  # by another process, since it was looked at
                    _tidy(run)
                    continue
                sessions[run] = Session(run, together.add if together else RunProgress, initial)
                sessions[run].lock = held.pop_all()
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
