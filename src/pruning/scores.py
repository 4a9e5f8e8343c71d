"""Scores: what is pruned first. In each group the lowest scores go."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..config.part import Part

if TYPE_CHECKING:
    from torch import nn

    from ..messages import LabelledBatches
    from .masks import Masks, Weights

RANDOM_DRAWS = 7
"""Tells the random numbers of a score from those of batches and of initial states."""


@dataclass(frozen=True)
class Score(Part):
    """A score of every prunable weight: tensors of the weights' names and shapes.

    One that looks at weights alone defines `of_weights`. One that needs the network, its gradients or the training
    images sets `needs_network` and defines `of_network`, which an engine runs.
    """

    needs_network: ClassVar[bool] = False

    @property
    def label(self) -> str:
        return f"{self.short.replace('_', ' ')} scores"

    def of_weights(self, weights: "Weights", draws: Sequence[int]) -> "Weights":
        """Scores of the prunable tensors `weights`; `draws` (seed and iteration) is for random numbers."""
        raise NotImplementedError(f"{type(self).__name__} has to define of_weights() or of_network()")

    def of_network(self, network: "nn.Module", batches: "LabelledBatches", masks: "Masks") -> "Weights":
        """Scores of the tensors that `masks` names, of a network whose pruned weights are zero."""
        raise NotImplementedError(f"{type(self).__name__} has to define of_network()")


@dataclass(frozen=True)
class Magnitude(Score):
    """|w|, the paper's."""

    def of_weights(self, weights: "Weights", draws: Sequence[int]) -> "Weights":
        return {name: w.abs() for name, w in weights.items()}


@dataclass(frozen=True)
class Random(Score):
    """A uniform random number, decided by the run's seed and the iteration: the control that looks at nothing."""

    def of_weights(self, weights: "Weights", draws: Sequence[int]) -> "Weights":
        import numpy as np
        import torch

        generator = np.random.default_rng([*draws, RANDOM_DRAWS])
        return {n: torch.from_numpy(generator.random(w.shape, np.float32)).to(w.device) for n, w in weights.items()}
