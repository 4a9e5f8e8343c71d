"""Members: the trainings that an engine is asked for, and how they stand while it is at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from src.errors import UserError
from src.requests import Epoch, State, TrainRequest
from src.training.spec import TrainingSpec
from src.training.state import TrainingState


@dataclass(frozen=True)
class Member:
    """One training: settings with its seed, the seed's initial state, the request, and a checkpoint to go on from."""

    spec: TrainingSpec
    initial: State
    request: TrainRequest
    state: TrainingState | None = None


class Standing(Protocol):
    """Trainings between two epochs; `members` are the places of those at work among those that were asked for."""

    @property
    def members(self) -> Sequence[int]: ...

    @property
    def epochs_done(self) -> int: ...

    @property
    def finished(self) -> bool: ...

    def state(self, index: int) -> TrainingState:
        """All that it takes to go on with a member from here."""

    def latest(self, index: int) -> Epoch:
        """Metrics of a member's last epoch."""


class Diverged(UserError):
    """The training loss is no longer finite."""

    @classmethod
    def at(cls, loss: float, iteration: int, epoch: int, spec: TrainingSpec) -> "Diverged":
        """Where it happened, and what to do."""
        return cls(
            f"the training loss became {loss} in iteration {iteration}, epoch {epoch}: "
            f"lower trainer.lr (now {spec.lr}) or trainer.clip_norm (now {spec.clip_norm})"
        )
