"""The driver: answers the requests of many trajectories with one engine and the store.

Trajectories advance together. What several of them ask for is trained once, what the store has is not trained again,
and the rest is handed to the engine as one batch: a solo engine trains it one after the other, a stacked one at once.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from torch import Tensor, nn

from src.execution.interruption import Interruption
from src.files import Pace
from src.messages import (
    Answer,
    EvaluateRequest,
    InitialiseRequest,
    LabelledBatches,
    Performance,
    Request,
    ScoreRequest,
    State,
    Trained,
    TrainRequest,
    Upcoming,
)
from src.store.digest import training_id
from src.store.trainings import Origin, TrainingStore
from src.training.spec import TrainingSpec
from src.training.state import Diverged, EpochEnd, Member
from src.trajectory import Record, Trajectory

if TYPE_CHECKING:
    from src.execution.session import Session

PACE = Pace(0.015)
"""How much of the time checkpoints may take that are not overdue."""

LOST_S = 20.0
"""What a kill may cost, or an epoch where one takes longer."""

SHARED_ITERATIONS = 2
"""Trainings of iterations 0 and 1 are shared between methods, scopes or hyper-parameters (PROTOCOL 2.5) and kept."""

POLL_S = 0.2
"""Time between two looks at a training that another process is at."""


class Engine(Protocol):
    """What trains and evaluates. Members whose loss is no longer finite are answered by the reason.

    `stacked`: trainings cost less together than one after the other, so that those still to come are done now.
    """

    @property
    def stacked(self) -> bool: ...

    def train(
        self, members: Sequence[Member], after_epoch: Callable[[EpochEnd], None]
    ) -> Sequence[Trained | Diverged]: ...

    def evaluate(self, state: State) -> Performance: ...

    def score(
        self, state: State, function: Callable[[nn.Module, LabelledBatches], Mapping[str, Tensor]], seed: int
    ) -> Mapping[str, Tensor]: ...


@dataclass(eq=False)
class Task:
    """A trajectory on its way: what it is trained with, the session that listens, and the training that it waits for.

    `initialise` gives the n-th initial state of its seed; `origin` tells the store whose trainings these are;
    `upcoming`: trainings that it will ask for, by their identities.
    """

    trajectory: Trajectory
    spec: TrainingSpec
    listener: "Session"
    initialise: Callable[[int], State]
    origin: str = ""
    request: TrainRequest | None = None
    identity: str = ""
    upcoming: dict[str, TrainRequest] = field(default_factory=dict)

    def advance(self, answer: Answer, engine: Engine, tidy: Callable[[], None] = lambda: None) -> None:
        """Go on to the next training that is asked for; an error ends this task alone.

        `tidy` is called when all is recorded, before this is told: nobody looks again at a run that is finished.
        """
        self.request = None
        try:
            while True:
                try:
                    request = self.trajectory.send(answer)
                except StopIteration:
                    tidy()
                    self.listener.finish()
                    return
                if isinstance(request, TrainRequest):
                    self.request, self.identity = request, training_id(self.spec, request)
                    return
                answer = self._answer(request, engine)
        except Exception as error:
            self.fail(error)

    def _answer(
        self, request: Upcoming | EvaluateRequest | ScoreRequest | InitialiseRequest | Record, engine: Engine
    ) -> Answer:
        match request:
            case EvaluateRequest():
                return engine.evaluate(request.state)
            case ScoreRequest():
                return engine.score(request.state, request.function, self.spec.seed)
            case InitialiseRequest():
                return self.initialise(request.draw)
            case Upcoming():
                self.upcoming = {training_id(self.spec, known): known for known in request.requests}
            case Record():
                self.listener.record(request)
        return None

    def fail(self, error: Exception) -> None:
        """End this task alone."""
        self.request = None
        self.listener.fail(error)


def drive(
    tasks: Sequence[Task],
    engine: Engine,
    store: TrainingStore,
    checkpoint_every: int = 1,
    interruption: Interruption | None = None,
) -> None:
    """Run all trajectories to their ends, or until `interruption` asks for one.

    Interrupted trainings go on from their last checkpoint: every `checkpoint_every` epochs, or after fewer checkpoints
    where these would take more than a small share of the time.
    """
    interruption = interruption or Interruption()
    for task in tasks:
        task.advance(None, engine)
    while waiting := [task for task in tasks if task.request is not None]:
        interruption.check()
        answered = False
        for task, answer in _answers(waiting, engine, store, checkpoint_every, interruption):
            answered, identity = True, task.identity
            if isinstance(answer, Diverged):
                task.fail(answer)
            else:
                task.advance(answer, engine, partial(store.discard_partial, identity))
            request = task.upcoming.pop(identity, None)
            if request is not None and request.iteration >= SHARED_ITERATIONS:
                store.discard(identity)
        if not answered:
            time.sleep(POLL_S)


def rehearse(steps: Generator[Request, Answer, None], engine: Engine, seed: int) -> None:
    """Go through steps to their end, or to where they ask for something else than scores."""
    with suppress(StopIteration):
        request = next(steps)
        while isinstance(request, ScoreRequest):
            request = steps.send(engine.score(request.state, request.function, seed))


@dataclass
class _Needed:
    """A training to be done, by whom it is waited for, and whether others may ask for it later."""

    identity: str
    member: Member
    tasks: list[Task]
    origin: Origin
    keep: bool


def _answers(
    waiting: Sequence[Task], engine: Engine, store: TrainingStore, checkpoint_every: int, interruption: Interruption
) -> Iterator[tuple[Task, Trained | Diverged]]:
    """Answers to all that wait, but for those that wait for a training of another process."""
    with ExitStack() as locks:
        todo = []
        for needed in _needed(waiting):
            if not needed.tasks and store.has(needed.identity):
                continue
            if needed.keep and not store.lock(needed.identity, locks):
                continue
            trained = store.load(needed.identity) if needed.keep else None
            if trained is None:
                todo.append(needed)
            else:
                store.discard_partial(needed.identity)  # of a process that was killed between the two
                yield from ((task, trained) for task in needed.tasks)
        if not todo:
            return
        members = [replace(needed.member, checkpoint=store.load_partial(needed.identity)) for needed in todo]
        results = engine.train(members, _Checkpoints(store, todo, checkpoint_every, interruption))
        for needed, result in zip(todo, results, strict=True):
            if isinstance(result, Trained) and needed.keep:
                store.save(needed.identity, result, needed.origin)
            yield from ((task, result) for task in needed.tasks)
            store.discard_partial(needed.identity)


def _needed(waiting: Sequence[Task]) -> list[_Needed]:
    """What tasks wait for, and what they will ask for; equal trainings once."""
    found: dict[str, _Needed] = {}
    for task in waiting:
        assert task.request is not None
        for identity, request in {task.identity: task.request, **task.upcoming}.items():
            keep = request.iteration < SHARED_ITERATIONS or identity in task.upcoming
            origin = Origin(task.origin, request.iteration)
            needed = found.setdefault(identity, _Needed(identity, Member(task.spec, request), [], origin, keep))
            needed.keep |= keep
            if identity == task.identity:
                needed.tasks.append(task)
    return list(found.values())


class _Checkpoints:
    """After each epoch: keep the states when it is time, tell the listeners, with each member's share of the time."""

    def __init__(self, store: TrainingStore, todo: Sequence[_Needed], every: int, interruption: Interruption) -> None:
        self._store = store
        self._todo = todo
        self._left = len(todo)
        self._every = every
        self._interruption = interruption
        self._called = self._kept = time.monotonic()

    def __call__(self, end: EpochEnd) -> None:
        now = time.monotonic()
        epoch_s = now - self._called
        for index in end.members:
            needed = self._todo[index]
            for task in needed.tasks:
                task.listener.after_epoch(needed.member.request, end, index, epoch_s / len(end.members))
        self._left -= len(end.members) * end.finished
        if not end.finished or self._left > 0:  # those that are done wait for the others
            overdue = now - self._kept + epoch_s > LOST_S
            turn = end.finished or end.epochs_done % self._every == 0
            if self._interruption.asked is not None or (turn and (overdue or PACE.due)):
                with PACE.turn():
                    todo = self._todo
                    self._store.save_partials((todo[i].identity, end.state(i), todo[i].origin) for i in end.members)
                self._kept = time.monotonic()
            self._interruption.check()
        self._called = time.monotonic()
