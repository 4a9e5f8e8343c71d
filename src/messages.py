"""What Algorithm 1 and the engines tell each other: requests of a trajectory, and what they are answered.

Imports no PyTorch: rules of rewinding, which are settings, speak in these terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor, nn

State: TypeAlias = "Mapping[str, Tensor]"
"""A model's state dict: parameters and buffers."""

LabelledBatches: TypeAlias = "Iterable[tuple[Tensor, Tensor]]"
"""Normalised float32 images [batch, C, H, W] and their int64 labels [batch], on the network's device."""


@dataclass(frozen=True)
class TrainRequest:
    """One training, and where a trajectory stands: all that it takes to go on with `iteration`.

    It starts from `start`, whose pruned weights are set to zero, keeps `masks` (True: alive), sees the batches of
    `iteration`, and trains the epochs `first_epoch`, ..., `until` - 1 of the schedule's E; None: up to E.
    """

    iteration: int
    masks: Mapping[str, Tensor]
    start: State
    first_epoch: int = 0
    until: int | None = None


@dataclass(frozen=True)
class Upcoming:
    """Trainings that will be asked for, whatever comes in between: they may be done ahead, and all at once."""

    requests: list[TrainRequest]


@dataclass(frozen=True)
class EvaluateRequest:
    """One pass of `state` over the test set."""

    state: State


@dataclass(frozen=True)
class ScoreRequest:
    """`function` of the network in `state` and of the training images, in an order that the seed decides.

    The network is on the engine's device and in evaluation mode; the batches can be gone through any number of times
    and are neither augmented nor limited: `function` takes as many as it needs. It returns tensors by name.
    """

    state: State
    function: Callable[[nn.Module, LabelledBatches], Mapping[str, Tensor]]


@dataclass(frozen=True)
class InitialiseRequest:
    """A fresh initial state, the `draw`-th of the run's seed; draw 0 is the one that the run starts from."""

    draw: int


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
        return (self.best, self.best_metrics) if which == "best" else (self.last, self.history[-1])

    @property
    def best_metrics(self) -> Epoch:
        """Metrics of the best epoch; the history may begin after epoch 0."""
        return self.history[self.best_epoch - self.history[0].epoch]


Request = TrainRequest | Upcoming | EvaluateRequest | ScoreRequest | InitialiseRequest
Answer: TypeAlias = "Trained | Performance | State | None"
