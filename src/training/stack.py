"""Members that advance together: their tensors, their epochs, and what is kept of each."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import torch
from torch import Tensor

from src.data.batches import epoch_generator, training_batches
from src.messages import Epoch, Performance, Trained
from src.training.backend import Captured, renewed
from src.training.dense import Dense, hits, negative_sum
from src.training.loop import SoloEngine
from src.training.stacked_vector import StackedVector
from src.training.state import Diverged, EpochEnd, Member, Snapshot, TrainingState

Batches = tuple[int, int]
"""Seed and iteration: what decides which batches a member sees."""

Totals = tuple[Tensor, Tensor]
"""Losses, float64, and hits, int64, summed over images: [K] each."""


@dataclass
class StackMember:
    """What the host knows of a member; `place` is where its answer belongs."""

    place: int
    member: Member
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = -1
    best_correct: int = -1
    diverged: Diverged | None = None

    @property
    def batches(self) -> Batches:
        """Members of which these are equal share their batches."""
        return self.member.spec.seed, self.member.request.iteration


class Stack:
    """K members that train the same epochs; those that share their batches, by seed and iteration, lie side by side.

    `members` by the places of their answers. Nothing waits for the host within an epoch. A member whose loss is no
    longer finite keeps its place. On a CPU no member's numbers depend on who else is in the stack, nor
    on its place. Images and the form of the model, of which `is_dense` holds, are those of the engine `solo`.
    """

    def __init__(self, solo: SoloEngine, members: Mapping[int, Member]) -> None:
        self._spec, self._images, self._flat, self._device = solo.spec, solo.images, solo.flat, solo.device
        self._solo, self._backend = solo, solo.backend
        self.members = sorted((StackMember(*item) for item in members.items()), key=lambda m: m.batches)
        self._groups = groups_of([m.batches for m in self.members])
        group_of = [index for index, members in enumerate(self._groups) for _ in members]
        self._group_of = torch.tensor(group_of, device=self._device)
        self._parameters, self._gradient, self._mask, self._best = (self._zero_vector() for _ in range(4))
        self._optimizer = self._load()
        self._network = Dense(self._parameters, self._gradient, self._groups, self._spec.precision)
        self._lr = self._backend.learning_rate(self._spec.lr, self._device)
        self._losses, self._correct = self._zeros()
        self._room = self._images.room(self._spec.batch_size, len(self._groups))
        self._run: Callable[[Tensor, Tensor], None] = self._step
        if self._backend.captures:
            written = [self._parameters.vector, *self._optimizer.values(), self._losses, self._correct]
            self._run = Captured(self._step, written)

    def train(self, after_epoch: Callable[[EpochEnd], None]) -> dict[int, Trained | Diverged]:
        """Train to the end, once; results by place."""
        first = self.members[0].member
        for epoch in range(first.next_epoch, first.until):
            self._lr = renewed(self._lr, self._spec.learning_rate(epoch))
            train = self._epoch(epoch)
            test = self._totals(*self._images.test)
            selection = test if self._images.chosen_by_test else self._totals(*self._images.selection)
            self._finish_epoch(epoch, train, test, selection)
            at_work = {m.place: k for k, m in enumerate(self.members) if not m.diverged}
            if not at_work:
                break
            after_epoch(self._end(at_work, epoch + 1, epoch + 1 == first.until))
        del self._run  # it refers to the stack, whose memory would be taken until Python looks for such cycles
        return {m.place: m.diverged or self._trained(k) for k, m in enumerate(self.members)}

    def state(self, k: int) -> TrainingState:
        """All that it takes to go on with member `k` from here."""
        m = self.members[k]
        best = current = Snapshot(self._parameters.member(k), {})
        if m.history and m.best_epoch != m.history[-1].epoch:
            best = Snapshot(self._best.member(k), {})
        optimizer = {
            name: self._stacked(value).member(k) if value.dim() else value.clone()
            for name, value in self._optimizer.items()
        }
        return TrainingState(current, optimizer, best, m.best_epoch, m.best_correct, list(m.history))

    def _load(self) -> dict[str, Tensor]:
        """Write every member's state before its next epoch; the optimizer's state of all."""
        checkpoints: list[dict[str, Tensor]] = []
        for k, m in enumerate(self.members):
            mask = self._flat.flatten(m.member.request.masks)
            state = self._solo.begin(m.member, mask)
            m.history, m.best_epoch, m.best_correct = state.history, state.best_epoch, state.best_correct
            self._mask.set_member(k, mask)
            self._parameters.set_member(k, state.current.parameters)
            self._best.set_member(k, state.best.parameters)
            checkpoints.append(state.optimizer)
        if not self.members[0].history:
            return self._spec.optimizer.state(self._parameters.vector)
        # scalars count steps, and all members have gone as many
        optimizer = {name: value.clone() for name, value in checkpoints[0].items()}
        for name, value in optimizer.items():
            if value.dim():
                vector = self._zero_vector()
                for k, checkpoint in enumerate(checkpoints):
                    vector.set_member(k, checkpoint[name])
                optimizer[name] = vector.vector
        return optimizer

    def _epoch(self, epoch: int) -> Totals:
        """One pass over the training images; its metrics are those of the networks while they were training."""
        self._losses.zero_()
        self._correct.zero_()
        spec, size = self._spec, self._spec.batch_size
        batches = [
            training_batches(
                self._images.train,
                size,
                epoch_generator(*self.members[members.start].batches, epoch),
                spec.shuffle,
                spec.augment,
                room,
            )
            for members, room in zip(self._groups, self._room, strict=True)
        ]
        for step, parts in enumerate(zip(*batches, strict=True)):
            ys, start = torch.stack([y for _, y in parts]), step * size % self._room.shape[1]
            self._run(ys, self._room[:, start : start + ys.shape[1]])
        return self._losses, self._correct

    def _step(self, ys: Tensor, xs: Tensor) -> None:
        """One update from the groups' labels [groups, batch] and their images, as in `src.training.loop`."""
        spec, gradient = self._spec, self._gradient
        losses, correct = self._network.backward(xs, ys.index_select(0, self._group_of)[:, None])
        if spec.clip_after_mask:
            gradient.vector.mul_(self._mask.vector)
        gradient.clip_(spec.clip_norm)
        gradient.vector.mul_(self._mask.vector)
        spec.optimizer.step(self._parameters.vector, gradient.vector, self._optimizer, self._lr)
        self._losses += losses
        self._correct += correct

    @torch.no_grad()
    def _totals(self, images: Tensor, labels: Tensor) -> Totals:
        """A pass of all members over the same images, in evaluation mode."""
        losses, correct = self._zeros()
        size = self._spec.batch_size
        for x, y in zip(images.split(size), labels.split(size), strict=True):
            logits = self._network.logits(x)
            expanded = y.expand(len(logits), 1, len(y))
            losses += negative_sum(logits.log_softmax(1).gather(1, expanded))
            correct += hits(logits, expanded)
        return losses, correct

    def _finish_epoch(self, epoch: int, train: Totals, test: Totals, selection: Totals) -> None:
        """The epoch's one synchronisation: metrics to the host, diverged members out, better ones remembered."""
        rows = torch.stack([t.double() for totals in (train, test, selection) for t in totals]).tolist()
        images = self._images
        counts = [len(labels) for labels in (images.train.train_labels, images.test[1], images.selection[1])]
        better = []
        for k, (m, values) in enumerate(zip(self.members, zip(*rows, strict=True), strict=True)):
            if m.diverged:
                continue
            if not math.isfinite(values[0]):
                m.diverged = Diverged(values[0] / counts[0], m.member.request.iteration, epoch, self._spec)
                continue
            performances = (
                Performance(values[2 * i] / count, 100 * values[2 * i + 1] / count) for i, count in enumerate(counts)
            )
            m.history.append(Epoch(epoch, self._spec.learning_rate(epoch), *performances))
            if values[5] > m.best_correct:
                m.best_epoch, m.best_correct = epoch, int(values[5])
                better.append(k)
        chosen = torch.tensor(better, dtype=torch.int64, device=self._device)
        self._best.copy_members(self._parameters, chosen)

    def _end(self, at_work: Mapping[int, int], epochs_done: int, finished: bool) -> EpochEnd:
        """How the members stand, by place; their states are copied out only where they are asked for."""
        return EpochEnd(
            list(at_work),
            epochs_done,
            finished,
            lambda place: self.state(at_work[place]),
            lambda place: self.members[at_work[place]].history[-1],
        )

    def _trained(self, k: int) -> Trained:
        return self._solo.trained(self.state(k))

    def _zeros(self) -> Totals:
        count = len(self.members)
        losses = torch.zeros(count, dtype=torch.float64, device=self._device)
        return losses, torch.zeros(count, dtype=torch.int64, device=self._device)

    def _zero_vector(self) -> StackedVector:
        return StackedVector.zeros(self._flat.shapes, len(self.members), self._device)

    def _stacked(self, vector: Tensor) -> StackedVector:
        return StackedVector(self._flat.shapes, len(self.members), vector)


def groups_of(batches: Sequence[Hashable]) -> list[range]:
    """Members that see the same batches: runs of equal ones, in order.

    >>> groups_of(["a", "a", "b"])
    [range(0, 2), range(2, 3)]
    """
    groups: list[range] = []
    for _, run in groupby(batches):
        start = groups[-1].stop if groups else 0
        groups.append(range(start, start + len(list(run))))
    return groups
