"""Rewinding: the state that a pruned network is trained again from."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias, cast

from ..config.part import Part, setting
from ..messages import Answer, InitialiseRequest, Request, State, Trained, TrainRequest

Asking: TypeAlias = Generator[Request, Answer, State]
"""Yields requests, is sent their answers, and returns a state."""


@dataclass(frozen=True)
class Rewind(Part):
    """A rule of rewinding. Pruned weights are set to zero by whoever trains from the state."""

    @property
    def first_epoch(self) -> int:
        """The epoch of the schedule at which the pruned network's training begins."""
        return 0

    def start(self, iteration: int, origin: TrainRequest, deciding: State) -> Asking:
        """The state that `iteration` starts from; the rule may ask for trainings and for initial states.

        `origin` is the training of iteration 0, `deciding` the state whose weights decided the masks.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define start()")


@dataclass(frozen=True)
class ToEpoch(Rewind):
    """Back to iteration 0 after `epoch` epochs, and on from there in the schedule; 0: to the initialisation (A13).

    epoch: of iteration 0, whose weights the pruned network is trained again from.
    """

    epoch: int = setting(0, at_least=0, at_most=1_000_000)

    @property
    def short(self) -> str:
        return f"rewind{self.epoch}"

    @property
    def label(self) -> str:
        return f"rewound to epoch {self.epoch}"

    @property
    def first_epoch(self) -> int:
        return self.epoch

    def start(self, iteration: int, origin: TrainRequest, deciding: State) -> Asking:
        if self.epoch == 0:
            return origin.start
        trained = yield TrainRequest(0, origin.masks, origin.start, until=self.epoch)
        return cast(Trained, trained).last


@dataclass(frozen=True)
class FineTune(Rewind):
    """Not at all: the weights that decided are trained on, with the learning rate back at its start (A12)."""

    @property
    def label(self) -> str:
        return "fine-tuned"

    def start(self, iteration: int, origin: TrainRequest, deciding: State) -> Asking:
        yield from ()
        return deciding


@dataclass(frozen=True)
class Fresh(Rewind):
    """To a fresh initialisation, another one in each iteration: the control that keeps the masks alone."""

    @property
    def label(self) -> str:
        return "freshly initialised"

    def start(self, iteration: int, origin: TrainRequest, deciding: State) -> Asking:
        return cast(State, (yield InitialiseRequest(iteration)))
