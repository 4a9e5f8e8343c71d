"""The stacked engine: many trainings at once, on one device."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import torch
from torch import Tensor, nn

from src.messages import LabelledBatches, Performance, State, Trained
from src.training.backend import float32_products
from src.training.checks import check_optimizer
from src.training.dense import is_dense
from src.training.loop import SoloEngine
from src.training.stack import Stack
from src.training.state import Diverged, EpochEnd, Member

log = logging.getLogger(__name__)

SHARE = 0.7
"""Of the free memory that a stack may take: the rest is for batches, results and the allocator."""

VECTORS = 4
"""Parameters, gradient, mask and best epoch's parameters; the optimizer's come on top."""

WORKSPACE = 4
"""Numbers at the peak of a step for each of a layer's outputs and an image: activation, its gradient, their factors."""

FLOAT = 4
"""Bytes of a parameter."""


def stacks(engine: SoloEngine) -> bool:
    """Whether an engine's trainings are faster in a stack than one after the other: measured, see benchmarks/README.md.

    Networks of linear layers are. Convolutional ones are not, on a CPU: mapped over the members they became grouped
    convolutions, at half the speed.
    """
    return is_dense(engine.model, engine.images.train.image_shape)


class StackedEngine:
    """Trains together what the engine `solo` would one after the other: any mix of seeds, iterations, masks and starts.

    The solo engine's is one that `stacks`. At most `max_members` form a stack; None: as many as free memory holds.
    Those beyond it are trained in stacks one after the other.
    """

    stacked = True
    """Whether trainings cost less together than one after the other, so that those to come are done now."""

    def __init__(self, solo: SoloEngine, max_members: int | None = None) -> None:
        self._solo = solo
        self._max_members = max_members

    def train(
        self, members: Sequence[Member], after_epoch: Callable[[EpochEnd], None] = lambda _: None
    ) -> list[Trained | Diverged]:
        """The trainings of `members`, each from its checkpoint where it had been interrupted.

        `after_epoch` sees how a stack stands after each epoch, the last one included. A training whose loss is no
        longer finite is answered by Diverged; it does not change the others.
        """
        results: dict[int, Trained | Diverged] = {}
        for places in self._stacks(members):
            with float32_products(self._solo.spec.precision):
                results |= Stack(self._solo, {place: members[place] for place in places}).train(after_epoch)
        return [results[place] for place in range(len(members))]

    def evaluate(self, state: State) -> Performance:
        """Loss and accuracy of `state` on the test set, bit for bit the solo engine's."""
        return self._solo.evaluate(state)

    def score(
        self, state: State, function: Callable[[nn.Module, LabelledBatches], Mapping[str, Tensor]], seed: int
    ) -> dict[str, Tensor]:
        """As the solo engine's."""
        return self._solo.score(state, function, seed)

    def _stacks(self, members: Sequence[Member]) -> list[list[int]]:
        """Places of members that train the same epochs, in parts of equal size that fit; same batches side by side."""

        def epochs(place: int) -> tuple[int, int, int]:
            member = members[place]
            return member.next_epoch, member.request.first_epoch, member.until

        def order(place: int) -> tuple[int, ...]:
            return *epochs(place), members[place].spec.seed, members[place].request.iteration

        parts: list[list[int]] = []
        for _, run in groupby(sorted(range(len(members)), key=order), epochs):
            alike = list(run)
            fits = self._max_members or self._members_that_fit()
            count = -(-len(alike) // fits)
            if count > 1:
                log.info("%d trainings do not fit one stack of %d: %d stacks", len(alike), fits, count)
            size = -(-len(alike) // count)
            parts += [alike[start : start + size] for start in range(0, len(alike), size)]
        return parts

    def _members_that_fit(self) -> int:
        solo, spec = self._solo, self._solo.spec
        vectors = VECTORS + check_optimizer(spec.optimizer)
        return max(int(SHARE * free_memory(solo.device)) // member_bytes(solo.model, spec.batch_size, vectors), 1)


def member_bytes(model: nn.Module, batch_size: int, vectors: int) -> int:
    """Bytes that one member takes: its vectors, and what a step computes for each of a layer's outputs and an image."""
    parameters = sum(p.numel() for p in model.parameters())
    outputs = sum(p.numel() for p in model.parameters() if p.dim() == 1)
    return FLOAT * (vectors * parameters + WORKSPACE * batch_size * outputs)


def free_memory(device: torch.device) -> int:
    """Free bytes of `device`, those of its allocator's cache included; for the CPU the machine's."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:  # not Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
