"""The driver with an engine made by hand: what is trained, how often, and what an error stops."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from src.execution.driver import Job, drive
from src.pruning import GROUPINGS, Pruner, fixed_ratio_amount
from src.requests import Epoch, Performance, Record, State, Trained
from src.store.claims import claim
from src.store.trainings import TrainingStore
from src.training.members import Diverged, Member, Standing
from src.training.spec import TrainingSpec
from src.trajectory import Layout, Plan, trajectory

SPEC = TrainingSpec("digits", "linear", epochs=1, batch_size=1, seed=0)
LAYOUT = Layout(["w"], [])
INITIAL = {"w": torch.arange(1.0, 21.0).view(2, 10)}


class HandEngine:
    """Multiplies the initial weights by the seed plus 2; a member of a listed iteration diverges."""

    def __init__(self, ahead: bool = False, diverging: int | None = None) -> None:
        self.ahead = ahead
        self.diverging = diverging
        self.calls: list[list[int]] = []

    def train(self, members: Sequence[Member], _: Callable[[Standing], None]) -> list[Trained | Diverged]:
        self.calls.append([member.request.iteration for member in members])
        return [self._one(member) for member in members]

    def _one(self, member: Member) -> Trained | Diverged:
        if member.request.iteration == self.diverging:
            return Diverged("the loss became nan")
        weights = {"w": member.initial["w"] * (member.spec.seed + 2) * member.request.masks["w"]}
        performance = Performance(0.5, 50.0)
        return Trained(weights, weights, 0, [Epoch(0, 0.1, performance, performance, performance)])

    def evaluate(self, state: State) -> Performance:
        return Performance(float(state["w"].sum()), 10.0)


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

    def after_epoch(self, iteration: int, standing: Standing, index: int, seconds: float) -> None: ...

    def finish(self) -> None:
        self.finished = True

    def fail(self, error: Exception) -> None:
        self.error = error


def job(one_shot: bool = False, iterations: int = 3, notes: Notes | None = None, ratio: float = 0.2) -> Job:
    pruner = Pruner(GROUPINGS["global"], lambda w, m: fixed_ratio_amount(w, m, ratio=ratio), one_shot)
    return Job(trajectory(Plan(iterations, pruner), INITIAL, LAYOUT), SPEC, INITIAL, notes or Notes())


@pytest.fixture
def store(tmp_path: Path) -> TrainingStore:
    return TrainingStore(tmp_path / "trainings", torch.device("cpu"))


def stored(store: TrainingStore) -> int:
    return len(list(store.root.rglob("*.safetensors")))


def test_equal_trainings_are_done_once(store):
    """Iteration 0 of all; later ones of lottery ticket and one-shot, which prune the same here."""
    engine = HandEngine()
    jobs = [job(), job(one_shot=True), job(ratio=0.3)]
    drive(jobs, engine, store)
    assert engine.calls == [[0], [1, 1], [2, 2], [3, 3]]
    assert all(isinstance(j.listener, Notes) and j.listener.finished and len(j.listener.records) == 4 for j in jobs)
    assert stored(store) == 3  # iterations 0 and 1


def test_what_the_store_has_is_not_trained(store):
    drive([job()], HandEngine(), store)
    engine = HandEngine()
    drive([job(one_shot=True)], engine, store)
    assert engine.calls == [[2], [3]]


def test_one_shot_is_trained_ahead_where_that_pays(store):
    engine, notes, alone = HandEngine(ahead=True), Notes(), Notes()
    drive([job(one_shot=True, notes=notes)], engine, store)
    assert engine.calls == [[0], [1, 2, 3]]
    drive([job(one_shot=True, notes=alone)], HandEngine(), TrainingStore(store.root.parent / "other", store.device))
    assert [r.trained.last["w"].tolist() for r in notes.records] == [
        r.trained.last["w"].tolist() for r in alone.records
    ]
    assert stored(store) == 2  # iterations 0 and 1: others may ask for them


def test_a_training_that_diverges_ends_its_run_alone(store):
    short, long = Notes(), Notes()
    drive([job(iterations=1, notes=short), job(iterations=3, notes=long)], HandEngine(diverging=2), store)
    assert short.finished
    assert isinstance(long.error, Diverged)
    assert len(long.records) == 2


def test_a_run_that_cannot_be_recorded_ends_alone(store):
    broken, whole = Notes(fails_at=1), Notes()
    drive([job(notes=broken), job(ratio=0.3, notes=whole)], HandEngine(), store)
    assert str(broken.error) == "disk full"
    assert whole.finished


def test_a_training_of_another_process_is_waited_for(store, monkeypatch):
    """Another process is at iteration 0, and is done while this one sleeps."""
    theirs = job()
    theirs.advance(None, HandEngine())
    lock = store.root.parent / "locks" / f"{theirs.identity}.lock"
    engine, until, naps = HandEngine(), ExitStack(), []
    assert claim(lock, until)

    def nap(seconds: float) -> None:
        naps.append(seconds)
        until.close()
        drive([job(iterations=0)], HandEngine(), store)

    monkeypatch.setattr("src.execution.driver.time.sleep", nap)
    drive([job(iterations=1)], engine, store)
    assert len(naps) == 1
    assert engine.calls == [[1]]
