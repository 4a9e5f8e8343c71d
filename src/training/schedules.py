"""Learning-rate schedules: what an epoch's learning rate is of the trainer's `lr`. Imports no PyTorch."""

import math
from dataclasses import dataclass, field

from src.config.part import Part, require, setting


@dataclass(frozen=True)
class Schedule(Part):
    """A factor for each epoch, after `warmup` epochs that rise in equal steps from 1 / (warmup + 1).

    One of your own derives from this class, has its settings as fields, and defines `annealed`.

    warmup: epochs.
    """

    warmup: int = setting(0, at_least=0)

    def factor(self, epoch: int, epochs: int) -> float:
        """What `lr` is multiplied with in epoch 0 <= `epoch` < `epochs`."""
        if epoch < self.warmup:
            return (epoch + 1) / (self.warmup + 1)
        return self.annealed(epoch, epochs)

    def annealed(self, epoch: int, epochs: int) -> float:
        """The factor once the warm-up is over: warmup <= `epoch` < `epochs`."""
        raise NotImplementedError(f"{type(self).__name__} has to give a factor for each epoch: define annealed()")


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from 1 at the end of the warm-up to 0 at epoch E (PROTOCOL 3.1).

    >>> [round(Cosine().factor(epoch, 4), 3) for epoch in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """

    def annealed(self, epoch: int, epochs: int) -> float:
        """0.5 (1 + cos(pi e / E)), e and E counted from the end of the warm-up."""
        return 0.5 * (1 + math.cos(math.pi * (epoch - self.warmup) / (epochs - self.warmup)))


@dataclass(frozen=True)
class Step(Schedule):
    """Multiplied by `decay` at each of the `milestones`, which are epochs counted from 0.

    milestones: epochs, counted from 0; decay: the factor.
    """

    milestones: list[int] = field(default_factory=lambda: [100, 150])
    decay: float = setting(0.1, above=0, at_most=1)

    def check(self, key: str) -> None:
        """Raise UserError unless the milestones rise from 1 or later."""
        super().check(key)
        rising = all(a < b for a, b in zip([0, *self.milestones], self.milestones, strict=False))
        require(
            rising, f"{key}.milestones", self.milestones, "epochs of 1 or later that rise", f"{key}.milestones=[2,4]"
        )

    def annealed(self, epoch: int, epochs: int) -> float:
        """decay^n after n milestones."""
        return self.decay ** sum(epoch >= milestone for milestone in self.milestones)

    def __hash__(self) -> int:
        return hash((self.warmup, *self.milestones, self.decay))


@dataclass(frozen=True)
class Linear(Schedule):
    """A straight line from 1 at the end of the warm-up to `end` at epoch E.

    end: the factor at epoch E.
    """

    end: float = setting(0.0, at_least=0)

    def annealed(self, epoch: int, epochs: int) -> float:
        """1 + (end - 1) e / E, e and E counted from the end of the warm-up."""
        return 1 + (self.end - 1) * (epoch - self.warmup) / (epochs - self.warmup)


@dataclass(frozen=True)
class Constant(Schedule):
    """Always 1."""

    def annealed(self, epoch: int, epochs: int) -> float:
        """1."""
        return 1.0
