"""Trainings between two epochs: what an engine is asked for, and all that it takes to go on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from src.errors import UserError
from src.messages import Epoch, TrainRequest
from src.training.spec import TrainingSpec


@dataclass
class Snapshot:
    """Parameters [parameters] and buffers of a model at one moment."""

    parameters: Tensor
    buffers: dict[str, Tensor]


@dataclass
class TrainingState:
    """A training after the epochs of `history`; on a CPU it goes on from here bit for bit.

    `optimizer` is the optimizer's state; before the first step it may be empty. `best` is the snapshot of `best_epoch`,
    the first with `best_correct`.
    """

    current: Snapshot
    optimizer: dict[str, Tensor]
    best: Snapshot
    best_epoch: int = -1
    best_correct: int = -1
    history: list[Epoch] = field(default_factory=list)

    @classmethod
    def begin(cls, parameters: Tensor, buffers: Mapping[str, Tensor]) -> "TrainingState":
        """Before the first epoch, from masked parameters [parameters]."""
        start = Snapshot(parameters, dict(buffers))
        return cls(start, {}, start)


@dataclass(frozen=True)
class Member:
    """One training of those that an engine is asked for: settings with its seed, and a checkpoint to go on from."""

    spec: TrainingSpec
    request: TrainRequest
    checkpoint: TrainingState | None = None

    @property
    def next_epoch(self) -> int:
        """The first epoch that is still to be trained."""
        return self.request.first_epoch + (len(self.checkpoint.history) if self.checkpoint else 0)

    @property
    def until(self) -> int:
        """The epoch before which training ends."""
        return self.spec.epochs if self.request.until is None else self.request.until


@dataclass(frozen=True)
class EpochEnd:
    """Trainings at the end of an epoch; `members` are the places of those at work among those that were asked for.

    `epochs_done` of the schedule's epochs lie behind them. `state` gives all that it takes to go on with a member from
    here, to be written or copied at once, as training goes on in it; `latest` the metrics of a member's last epoch.
    """

    members: Sequence[int]
    epochs_done: int
    finished: bool
    state: Callable[[int], TrainingState]
    latest: Callable[[int], Epoch]


class Diverged(UserError):
    """The training loss is no longer finite."""

    def __init__(self, loss: float, iteration: int, epoch: int, spec: TrainingSpec) -> None:
        super().__init__(
            f"the training loss became {loss} in iteration {iteration}, epoch {epoch}: "
            f"lower trainer.lr (now {spec.lr}) or trainer.clip_norm (now {spec.clip_norm})"
        )


def renew(state: dict[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Give `state` the values of another, in place where it can be: a captured step keeps its tensors."""
    for name in state.keys() - values.keys():
        del state[name]
    for name, value in values.items():
        if name in state:
            state[name].copy_(value)
        else:
            state[name] = value.clone()
