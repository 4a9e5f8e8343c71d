"""The stacked engine: many trainings at once, on one device."""

import logging
from collections.abc import Callable, Sequence
from itertools import groupby

import torch
from torch import nn

from src.data import Dataset
from src.requests import Performance, State, Trained
from src.training.execution import EAGER, Execution, float32_products
from src.training.members import Diverged, Member, Standing
from src.training.solo import SoloEngine
from src.training.spec import TrainingSpec
from src.training.stacked.memory import members_that_fit
from src.training.stacked.stack import Stack

log = logging.getLogger(__name__)

Placed = tuple[int, Member]


class StackedEngine:
    """Trains members of one specification together, any mix of seeds, iterations, masks and buffers.

    `spec`: what all members have in common; seed and initial state are the members' own. At most `max_members` form a
    stack; None: as many as free memory holds. Those beyond it are trained in stacks one after the other.
    """

    ahead = True

    def __init__(
        self,
        spec: TrainingSpec,
        dataset: Dataset,
        model: nn.Module,
        device: torch.device,
        max_members: int | None = None,
        execution: Execution = EAGER,
    ) -> None:
        self.spec = spec
        self.device = device
        self._solo = SoloEngine(spec, dataset, model, device, execution)
        self._max_members = max_members
        self._execution = execution

    def train(
        self, members: Sequence[Member], after_epoch: Callable[[Standing], None] = lambda _: None
    ) -> list[Trained | Diverged]:
        """The trainings of `members`, each from its checkpoint where it had been interrupted.

        `after_epoch` sees how a stack stands after each epoch, the last one included. A training whose loss is no
        longer finite is answered by Diverged; it does not change the others.
        """
        results: dict[int, Trained | Diverged] = {}
        for part in self._stacks(list(enumerate(members))):
            stack = Stack(self.spec, self._solo.images, self._solo.model, self._solo.flat, part, self._execution)
            with float32_products(self.spec.precision):
                results |= stack.train(after_epoch)
        return [results[place] for place in range(len(members))]

    def evaluate(self, state: State) -> Performance:
        """Loss and accuracy of `state` on the test set, bit for bit the solo engine's."""
        return self._solo.evaluate(state)

    def _stacks(self, members: list[Placed]) -> list[list[Placed]]:
        """Members by how far they are, then in parts of equal size that fit; with the same batches, side by side."""
        members.sort(key=lambda placed: (_epochs_done(placed), placed[1].spec.seed, placed[1].request.iteration))
        parts: list[list[Placed]] = []
        for _, run in groupby(members, _epochs_done):
            alike = list(run)
            fits = self._max_members or members_that_fit(
                self._solo.model, self._solo.images.train.image_shape, self.spec.batch_size, self.device
            )
            count = -(-len(alike) // fits)
            if count > 1:
                log.info("%d trainings do not fit one stack of %d: %d stacks", len(alike), fits, count)
            size = -(-len(alike) // count)
            parts += [alike[start : start + size] for start in range(0, len(alike), size)]
        return parts


def _epochs_done(placed: Placed) -> int:
    state = placed[1].state
    return len(state.history) if state else 0
