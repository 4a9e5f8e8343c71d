"""The driver: answers the requests of many trajectories with one engine and the store.

Trajectories advance together. What several of them ask for is trained once, what the store has is not trained again,
and the rest is handed to the engine as one batch: a solo engine trains it one after the other, a stacked one at once.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol

from src.requests import Answer, EvaluateRequest, Performance, Record, State, Trained, TrainRequest, Upcoming
from src.store.digest import digest, settings_of
from src.store.identity import training_id
from src.store.trainings import Origin, TrainingStore
from src.training.members import Diverged, Member, Standing
from src.training.spec import TrainingSpec
from src.trajectory import Trajectory

SHARED_ITERATIONS = 2
"""Trainings of iterations 0 and 1 are shared between methods, scopes or hyper-parameters (PROTOCOL 2.5) and kept."""

POLL_S = 0.2
"""Time between two looks at a training that another process is at."""


class Engine(Protocol):
    """What trains and evaluates. Members whose loss is no longer finite are answered by the reason.

    `ahead`: whether trainings cost less together than one after the other, so that those still to come are done now.
    """

    @property
    def ahead(self) -> bool: ...

    def train(
        self, members: Sequence[Member], after_epoch: Callable[[Standing], None]
    ) -> Sequence[Trained | Diverged]: ...

    def evaluate(self, state: State) -> Performance: ...


class Listener(Protocol):
    """Who hears of a trajectory's progress."""

    def record(self, record: Record) -> None: ...

    def after_epoch(self, iteration: int, standing: Standing, index: int, seconds: float) -> None: ...

    def finish(self) -> None: ...

    def fail(self, error: Exception) -> None: ...


class Job:
    """A trajectory on its way: what it is trained with, what it waits for, and who listens."""

    def __init__(self, trajectory: Trajectory, spec: TrainingSpec, initial: State, listener: Listener) -> None:
        self.trajectory = trajectory
        self.spec = spec
        self.initial = initial
        self.listener = listener
        self.request: TrainRequest | None = None
        self.identity = ""
        self.upcoming: dict[str, TrainRequest] = {}

    def advance(self, answer: Answer, engine: Engine) -> None:
        """Go on to the next training that is asked for; an error ends this job alone."""
        self.request = None
        try:
            while True:
                match request := self.trajectory.send(answer):
                    case TrainRequest():
                        self.request, self.identity = request, training_id(self.spec, request)
                        return
                    case Upcoming():
                        if engine.ahead:
                            self.upcoming = {training_id(self.spec, known): known for known in request.requests}
                        answer = None
                    case EvaluateRequest():
                        answer = engine.evaluate(request.state)
                    case Record():
                        self.listener.record(request)
                        answer = None
        except StopIteration:
            self.listener.finish()
        except Exception as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End this job alone."""
        self.request = None
        self.listener.fail(error)


def drive(
    jobs: Sequence[Job], engine: Engine, store: TrainingStore, checkpoint_every: int = 1, interval_s: float = 0.0
) -> None:
    """Run all trajectories to their ends.

    Interrupted trainings go on from their last checkpoint: every `checkpoint_every` epochs, but not more often than
    every `interval_s` seconds.
    """
    for job in jobs:
        job.advance(None, engine)
    while waiting := [job for job in jobs if job.request is not None]:
        answered = False
        for job, answer in _answers(waiting, engine, store, checkpoint_every, interval_s):
            answered, identity = True, job.identity
            if isinstance(answer, Diverged):
                job.fail(answer)
            else:
                job.advance(answer, engine)
            request = job.upcoming.pop(identity, None)
            if request is not None and request.iteration >= SHARED_ITERATIONS:
                store.discard(identity)
        if not answered:
            time.sleep(POLL_S)


@dataclass
class _Want:
    """A training to be done, by whom it is waited for, and whether others may ask for it later."""

    identity: str
    member: Member
    jobs: list[Job]
    keep: bool

    @property
    def origin(self) -> Origin:
        return Origin(digest(settings_of(self.member.spec)), self.member.request.iteration)


def _answers(
    waiting: Sequence[Job], engine: Engine, store: TrainingStore, checkpoint_every: int, interval_s: float
) -> Iterator[tuple[Job, Trained | Diverged]]:
    """Answers to all that wait, but for those that wait for a training of another process."""
    with ExitStack() as claims:
        todo = []
        for want in _wants(waiting):
            if not want.jobs and store.has(want.identity):
                continue
            if want.keep and not store.claim(want.identity, claims):
                continue
            trained = store.load(want.identity) if want.keep else None
            if trained is None:
                todo.append(want)
            else:
                store.discard_partial(want.identity)  # of a process that was killed between the two
                yield from ((job, trained) for job in want.jobs)
        if not todo:
            return
        members = [replace(want.member, state=store.load_partial(want.identity)) for want in todo]
        results = engine.train(members, _Checkpoint(store, todo, checkpoint_every, interval_s))
        for want, result in zip(todo, results, strict=True):
            if isinstance(result, Trained) and want.keep:
                store.save(want.identity, result, want.origin)
            yield from ((job, result) for job in want.jobs)
            store.discard_partial(want.identity)


def _wants(waiting: Sequence[Job]) -> list[_Want]:
    """What jobs wait for, and what they will ask for; equal trainings once."""
    wants: dict[str, _Want] = {}
    for job in waiting:
        assert job.request is not None
        for identity, request in {job.identity: job.request, **job.upcoming}.items():
            keep = request.iteration < SHARED_ITERATIONS or identity in job.upcoming
            want = wants.setdefault(identity, _Want(identity, Member(job.spec, job.initial, request), [], keep))
            want.keep |= keep
            if identity == job.identity:
                want.jobs.append(job)
    return list(wants.values())


class _Checkpoint:
    """After each epoch: keep the state when it is time, tell the listeners, with each member's share of the time."""

    def __init__(self, store: TrainingStore, wants: Sequence[_Want], checkpoint_every: int, interval_s: float) -> None:
        self._store = store
        self._wants = [(want, want.origin, [job.listener for job in want.jobs]) for want in wants]
        self._every = checkpoint_every
        self._interval = interval_s
        self._kept = self._called = time.monotonic()

    def __call__(self, standing: Standing) -> None:
        now = time.monotonic()
        seconds = (now - self._called) / len(standing.members)
        due = standing.epochs_done % self._every == 0 and now - self._kept >= self._interval
        for index in standing.members:
            want, origin, listeners = self._wants[index]
            if due and not standing.finished:
                self._store.save_partial(want.identity, standing.state(index), origin)
            for listener in listeners:
                listener.after_epoch(want.member.request.iteration, standing, index, seconds)
        self._called = time.monotonic()
        if due:
            self._kept = self._called
