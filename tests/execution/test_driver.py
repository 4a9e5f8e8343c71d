"""The driver with an engine made by hand: what is trained, how often, and what an error stops."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from src.config.protocol import ProtocolConfig
from src.execution import driver
from src.execution.driver import Task, drive
from src.execution.interruption import Interruption
from src.messages import Epoch, Performance, State, Trained, TrainRequest
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.pruning.methods.one_shot import OneShot
from src.store.locks import acquire
from src.store.trainings import Origin, TrainingStore
from src.training.spec import TrainingSpec
from src.training.state import Diverged, EpochEnd, Member
from src.trajectory import Layout, Plan, Record, trajectory

SPEC = TrainingSpec(seed=0, epochs=1, batch_size=1)
LAYOUT = Layout(["w"], [])
INITIAL = {"w": torch.arange(1.0, 21.0).view(2, 10)}


class HandEngine:
    """Multiplies the starting weights by the seed plus 2; a member of a listed iteration diverges."""

    def __init__(self, stacked: bool = False, diverging: int | None = None) -> None:
        self.stacked = stacked
        self.diverging = diverging
        self.calls: list[list[int]] = []

    def train(self, members: Sequence[Member], _: Callable[[EpochEnd], None]) -> list[Trained | Diverged]:
        self.calls.append([member.request.iteration for member in members])
        return [self._one(member) for member in members]

    def _one(self, member: Member) -> Trained | Diverged:
        if member.request.iteration == self.diverging:
            return Diverged(float("nan"), member.request.iteration, 0, member.spec)
        weights = {"w": member.request.start["w"] * (member.spec.seed + 2) * member.request.masks["w"]}
        performance = Performance(0.5, 50.0)
        return Trained(weights, weights, 0, [Epoch(0, 0.1, performance, performance, performance)])

    def evaluate(self, state: State) -> Performance:
        return Performance(float(state["w"].sum()), 10.0)

    def score(self, state, function, seed):
        raise AssertionError("no method here asks for scores of the network")


class Notes:
    """A listener that remembers."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.records: list[Record] = []
        self.error: Exception | None = None
        self.finished = False
        self._fails_at = fails_at

    def record(self, record: Record) -> None:
        if record.iteration == self._fails_at:
            raise OSError("disk full")
        self.records.append(record)

    def after_epoch(self, request: TrainRequest, end: EpochEnd, index: int, seconds: float) -> None: ...

    def finish(self) -> None:
        self.finished = True

    def fail(self, error: Exception) -> None:
        self.error = error


def task(
    one_shot: bool = False, iterations: int = 3, notes: Notes | None = None, ratio: float = 0.2, engine=None
) -> Task:
    method = (OneShot if one_shot else LotteryTicket)(iterations=iterations, ratio=ratio)
    plan = Plan(method, ProtocolConfig(), seed=0)
    steps = trajectory(plan, INITIAL, LAYOUT, announce=bool(engine and engine.stacked))
    return Task(steps, SPEC, notes or Notes(), lambda _: INITIAL)


@pytest.fixture
def store(tmp_path: Path) -> TrainingStore:
    return TrainingStore(tmp_path / "trainings", torch.device("cpu"))


def stored(store: TrainingStore) -> int:
    return len(list(store.root.rglob("*.safetensors")))


def test_equal_trainings_are_done_once(store):
    """Iteration 0 of all; later ones of lottery ticket and one-shot, which prune the same here."""
    engine = HandEngine()
    tasks = [task(), task(one_shot=True), task(ratio=0.3)]
    drive(tasks, engine, store)
    assert engine.calls == [[0], [1, 1], [2, 2], [3, 3]]
    assert all(isinstance(t.listener, Notes) and t.listener.finished and len(t.listener.records) == 4 for t in tasks)
    assert stored(store) == 3  # iterations 0 and 1


def test_what_the_store_has_is_not_trained(store):
    drive([task()], HandEngine(), store)
    engine = HandEngine()
    drive([task(one_shot=True)], engine, store)
    assert engine.calls == [[2], [3]]


def test_one_shot_is_trained_ahead_where_that_pays(store):
    engine, notes, alone = HandEngine(stacked=True), Notes(), Notes()
    drive([task(one_shot=True, notes=notes, engine=engine)], engine, store)
    assert engine.calls == [[0], [1, 2, 3]]
    drive([task(one_shot=True, notes=alone)], HandEngine(), TrainingStore(store.root.parent / "other", store.device))
    assert [r.trained.last["w"].tolist() for r in notes.records] == [
        r.trained.last["w"].tolist() for r in alone.records
    ]
    assert stored(store) == 2  # iterations 0 and 1: others may ask for them


def test_a_training_that_diverges_ends_its_run_alone(store):
    short, long = Notes(), Notes()
    drive([task(iterations=1, notes=short), task(iterations=3, notes=long)], HandEngine(diverging=2), store)
    assert short.finished
    assert isinstance(long.error, Diverged)
    assert len(long.records) == 2


def test_a_run_that_cannot_be_recorded_ends_alone(store):
    broken, whole = Notes(fails_at=1), Notes()
    drive([task(notes=broken), task(ratio=0.3, notes=whole)], HandEngine(), store)
    assert str(broken.error) == "disk full"
    assert whole.finished


def test_a_training_of_another_process_is_waited_for(store, monkeypatch):
    """Another process is at iteration 0, and is done while this one sleeps."""
    theirs = task()
    theirs.advance(None, HandEngine())
    lock = store.root.parent / "locks" / f"{theirs.identity}.lock"
    engine, until, naps = HandEngine(), ExitStack(), []
    assert acquire(lock, until)

    def nap(seconds: float) -> None:
        naps.append(seconds)
        until.close()
        drive([task(iterations=0)], HandEngine(), store)

    monkeypatch.setattr("src.execution.driver.time.sleep", nap)
    drive([task(iterations=1)], engine, store)
    assert len(naps) == 1
    assert engine.calls == [[1]]


@pytest.mark.parametrize("moment", ["finish", "record"])
def test_an_error_at_the_end_of_one_run_is_that_runs_alone(store, monkeypatch, moment):
    broken, whole = Notes(), Notes()

    def fails(*_):
        raise OSError("no space left")

    monkeypatch.setattr(broken, moment, fails)
    drive([task(notes=broken), task(ratio=0.3, notes=whole)], HandEngine(), store)
    assert str(broken.error) == "no space left"
    assert whole.finished


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)


@pytest.mark.parametrize("stack", [True, False])
@pytest.mark.parametrize("epoch_s", [0.7, 8.0, 13.0, 60.0])
def test_a_kill_costs_at_most_an_epoch_or_20_s(store, monkeypatch, epoch_s, stack):
    """With checkpoints that take 3 s, four trainings as one stack or one after the other."""
    clock, kept, epochs = Clock(monkeypatch), dict.fromkeys(range(4), (100.0, 0)), 40

    def save(states):
        clock.now += 3
        for place, _, _ in states:
            kept[place] = clock.now, done[place]

    monkeypatch.setattr(store, "save_partials", save)
    checkpoints = driver._Checkpoints(store, [needed(place) for place in kept], 1, Interruption())
    done = dict.fromkeys(kept, 0)
    for places in [list(kept)] if stack else [[place] for place in kept]:
        began = clock.now
        for epoch in range(1, epochs + 1):
            clock.now += epoch_s
            for place in places:  # what a kill right now would cost: epochs, or seconds since the last checkpoint
                lost = epoch - kept[place][1]
                assert lost == 1 or clock.now - max(kept[place][0], began) <= 20, (epoch, kept)
            done |= dict.fromkeys(places, epoch)
            checkpoints(EpochEnd(places, epoch, epoch == epochs, lambda place: place, lambda _: None))
    trained_s = epochs * epoch_s * (1 if stack else 4)
    assert clock.now - 100 - trained_s <= 3 * trained_s / max(20 - 2 * epoch_s, epoch_s) + 3


def needed(place: int) -> driver._Needed:
    request = TrainRequest(1, {}, {})
    return driver._Needed(place, Member(SPEC, request), [], Origin("", 1), keep=False)
