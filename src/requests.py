"""What a trajectory asks for, what it is answered, and what it reports."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from src.pruning import Decision
from src.sparsity import Measures

State = Mapping[str, Tensor]
"""A model's state dict: parameters and buffers."""


@dataclass(frozen=True)
class TrainRequest:
    """Train from the initial parameters under `masks`; `buffers` are BatchNorm's statistics to start from."""

    iteration: int
    masks: dict[str, Tensor]
    buffers: dict[str, Tensor]


@dataclass(frozen=True)
class Upcoming:
    """Trainings that will be asked for, whatever comes in between: they may be done ahead, and all at once."""

    requests: list[TrainRequest]


@dataclass(frozen=True)
class EvaluateRequest:
    """One pass of `state` over the test set."""

    state: State


@dataclass(frozen=True)
class Performance:
    """Mean cross-entropy, and top-1 accuracy in percent."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Epoch:
    """Metrics of one epoch, counted from 0; `selection` is measured on the images that choose the best epoch."""

    epoch: int
    learning_rate: float
    train: Performance
    test: Performance
    selection: Performance


@dataclass(frozen=True)
class Trained:
    """A training's result: the states of its best epoch (the first of equals) and of its last, metrics of all."""

    best: State
    last: State
    best_epoch: int
    history: list[Epoch]

    def checkpoint(self, which: str) -> tuple[State, Epoch]:
        """State and metrics of the checkpoint `best` or `last`."""
        return (self.best, self.history[self.best_epoch]) if which == "best" else (self.last, self.history[-1])


@dataclass(frozen=True)
class Position:
    """Where a trajectory stands: all that it needs to go on with `iteration`."""

    iteration: int
    masks: dict[str, Tensor]
    buffers: dict[str, Tensor]


@dataclass(frozen=True)
class PruningStep:
    """The step from iteration t to t + 1: the decision, and the pruned model before it is retrained."""

    decision: Decision
    performance: Performance
    measures: Measures


@dataclass(frozen=True)
class Record:
    """What is known after an iteration; `step` and `following` are None in the last one."""

    iteration: int
    masks: dict[str, Tensor]
    trained: Trained
    evaluated: Epoch
    measures: Measures
    step: PruningStep | None = None
    following: Position | None = None


Request = TrainRequest | Upcoming | EvaluateRequest | Record
Answer = Trained | Performance | None
