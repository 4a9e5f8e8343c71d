"""Drivers answer the requests of trajectories with an engine and the store."""

from collections.abc import Callable
from typing import Protocol

from src.requests import Answer, EvaluateRequest, Performance, Record, State, Trained, TrainRequest
from src.store.identity import training_id
from src.store.trainings import TrainingStore
from src.training.spec import TrainingSpec
from src.training.state import TrainingState
from src.trajectory import Trajectory

SHARED_ITERATIONS = 2
"""Trainings of iterations 0 and 1 are shared between methods, scopes or hyper-parameters (PROTOCOL 2.5) and kept."""


class Engine(Protocol):
    """What trains and evaluates."""

    spec: TrainingSpec

    def train(
        self, request: TrainRequest, state: TrainingState | None, after_epoch: Callable[[TrainingState], None]
    ) -> Trained: ...

    def evaluate(self, state: State) -> Performance: ...


def drive(
    trajectory: Trajectory,
    engine: Engine,
    store: TrainingStore,
    record: Callable[[Record], None],
    after_epoch: Callable[[int, TrainingState], None],
    checkpoint_every: int = 1,
) -> None:
    """Run one trajectory to its end, one training after the other."""
    answer: Answer = None
    requested: TrainRequest | None = None
    while True:
        try:
            request = trajectory.send(answer)
        except StopIteration:
            return
        match request:
            case TrainRequest():
                requested = request
                answer = stored_training(engine, store, request, after_epoch, checkpoint_every)
            case EvaluateRequest():
                answer = engine.evaluate(request.state)
            case Record():
                record(request)
                answer = None
                if requested and requested.iteration >= SHARED_ITERATIONS:
                    store.discard(training_id(engine.spec, requested))


def stored_training(
    engine: Engine,
    store: TrainingStore,
    request: TrainRequest,
    after_epoch: Callable[[int, TrainingState], None],
    checkpoint_every: int,
) -> Trained:
    """The training from the store, or trained now, from its checkpoint where there is one."""
    identity = training_id(engine.spec, request)
    trained = store.load(identity)
    if trained is not None:
        return trained

    def checkpoint(state: TrainingState) -> None:
        if len(state.history) % checkpoint_every == 0 and len(state.history) < engine.spec.epochs:
            store.save_partial(identity, state)
        after_epoch(request.iteration, state)

    trained = engine.train(request, store.load_partial(identity), checkpoint)
    store.save(identity, trained)
    return trained
