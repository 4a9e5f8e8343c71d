"""Members that advance together: their tensors, their epochs, and what is kept of each."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from src.data import epoch_generator, training_batches
from src.requests import Epoch, Performance, State, Trained
from src.training.capture import Captured
from src.training.execution import EAGER, Execution, batches_at_once
from src.training.images import Images
from src.training.members import Diverged, Member, Standing
from src.training.parameters import FlatParameters
from src.training.spec import TrainingSpec
from src.training.stacked.groups import group
from src.training.stacked.network import Network, hits
from src.training.stacked.networks import build_network
from src.training.stacked.update import clip_
from src.training.stacked.vectors import StackedVector
from src.training.state import Snapshot, TrainingState
from src.training.update import learning_rate, optimizer, set_learning_rate

Totals = tuple[Tensor, Tensor]
"""Losses, float64, and hits, int64, summed over images: [K] each."""


@dataclass
class Track:
    """What the host knows of a member; `place` is where its answer belongs."""

    place: int
    member: Member
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = -1
    best_correct: int = -1
    diverged: Diverged | None = None


class Stack:
    """K members on one device; those that share their batches, by seed and iteration, lie side by side.

    Nothing waits for the host within an epoch. A member whose loss is no longer finite is set to zero and keeps its
    place, so that the others' arithmetic stays what it was.
    """

    def __init__(
        self,
        spec: TrainingSpec,
        images: Images,
        template: nn.Module,
        flat: FlatParameters,
        members: Sequence[tuple[int, Member]],
        execution: Execution = EAGER,
    ) -> None:
        members = sorted(members, key=lambda placed: _batch_key(placed[1]))
        self._spec, self._images, self._flat, self._execution = spec, images, flat, execution
        self._device = flat.vector.device
        self._names = list(template.state_dict())
        self.tracks = [Track(place, member) for place, member in members]
        self._groups = group([_batch_key(member) for _, member in members])
        self._group_of = torch.tensor(
            [index for index, g in enumerate(self._groups) for _ in range(len(g))], device=self._device
        )
        count = len(members)
        self._parameters, self._gradient, self._velocity, self._mask, self._best = (
            StackedVector(flat.shapes, count, self._device) for _ in range(5)
        )
        buffers = dict(template.named_buffers())
        self._buffers = {name: b.new_empty((count, *b.shape)) for name, b in buffers.items()}
        self._best_buffers = {name: b.clone() for name, b in self._buffers.items()}
        for k, track in enumerate(self.tracks):
            self._load(k, track)
        self._network: Network = build_network(
            spec.precision,
            execution,
            template,
            flat.names,
            self._parameters,
            self._gradient,
            self._buffers,
            self._groups,
        )
        leaf = nn.Parameter(self._parameters.vector)
        leaf.grad = self._gradient.vector
        self._sgd = optimizer(leaf, self._velocity.vector, spec, capturable=execution.captures)
        self._losses, self._correct = self._zeros()
        self._run: Callable[..., None] = self._step
        if execution.captures:
            kept = [leaf, self._velocity.vector, self._losses, self._correct, *self._buffers.values()]
            self._run = Captured(self._step, kept)

    def train(self, after_epoch: Callable[[Standing], None]) -> Iterable[tuple[int, Trained | Diverged]]:
        """Train to the end; each member's place and result."""
        for epoch in range(len(self.tracks[0].history), self._spec.epochs):
            lr = learning_rate(self._spec, epoch)
            set_learning_rate(self._sgd, lr)
            train = self._epoch(epoch)
            test = self._totals(*self._images.test)
            selection = test if self._images.chosen_by_test else self._totals(*self._images.selection)
            self._finish_epoch(epoch, lr, train, test, selection)
            if standing := self._standing(epoch + 1):
                after_epoch(standing)
            else:
                break
        return [(track.place, track.diverged or self._trained(k)) for k, track in enumerate(self.tracks)]

    def state(self, k: int) -> TrainingState:
        """All that it takes to go on with member `k` from here."""
        track = self.tracks[k]
        current = Snapshot(self._parameters.member(k), {name: b[k].clone() for name, b in self._buffers.items()})
        best = current
        if track.best_epoch != len(track.history) - 1:
            best = Snapshot(self._best.member(k), {name: b[k].clone() for name, b in self._best_buffers.items()})
        velocity = self._velocity.member(k)
        return TrainingState(current, velocity, best, track.best_epoch, track.best_correct, list(track.history))

    def _load(self, k: int, track: Track) -> None:
        member = track.member
        mask = self._flat.flatten(member.request.masks)
        state = member.state or TrainingState.begin(self._flat.flatten(member.initial) * mask, member.request.buffers)
        track.history, track.best_epoch, track.best_correct = list(state.history), state.best_epoch, state.best_correct
        self._mask.set_member(k, mask)
        self._parameters.set_member(k, state.current.parameters)
        self._velocity.set_member(k, state.velocity)
        self._best.set_member(k, state.best.parameters)
        for name in self._buffers:
            self._buffers[name][k] = state.current.buffers[name]
            self._best_buffers[name][k] = state.best.buffers[name]

    def _epoch(self, epoch: int) -> Totals:
        """One pass over the training images; its metrics are those of the networks while they were training."""
        self._losses.zero_()
        self._correct.zero_()
        spec, leaders = self._spec, [self.tracks[g.start].member for g in self._groups]
        batches = [
            training_batches(
                self._images.train,
                spec.batch_size,
                epoch_generator(leader.spec.seed, leader.request.iteration, epoch),
                spec.shuffle,
                spec.augment,
                batches_at_once(self._device),
            )
            for leader in leaders
        ]
        for step in zip(*batches, strict=True):
            self._run(torch.stack([y for _, y in step]), *(self._execution.arrange(x) for x, _ in step))
        return self._losses, self._correct

    def _step(self, ys: Tensor, *xs: Tensor) -> None:
        """One update from the groups' labels [groups, batch] and their images."""
        losses, correct = self._network.backward(xs, ys[self._group_of, None])
        if self._spec.clip_after_mask:
            self._gradient.vector.mul_(self._mask.vector)
        clip_(self._gradient, self._spec.clip_norm)
        self._gradient.vector.mul_(self._mask.vector)
        self._sgd.step()
        self._losses += losses
        self._correct += correct

    @torch.no_grad()
    def _totals(self, images: Tensor, labels: Tensor) -> Totals:
        """A pass of all members over the same images, in evaluation mode."""
        losses, correct = self._zeros()
        size = self._spec.batch_size
        for x, y in zip(images.split(size), labels.split(size), strict=True):
            logits = self._network.logits(self._execution.arrange(x))
            expanded = y.expand(len(logits), 1, len(y))
            losses -= logits.log_softmax(1).gather(1, expanded).sum((1, 2))
            correct += hits(logits, expanded)
        return losses, correct

    def _zeros(self) -> Totals:
        count = len(self.tracks)
        losses = torch.zeros(count, dtype=torch.float64, device=self._device)
        return losses, torch.zeros(count, dtype=torch.int64, device=self._device)

    def _finish_epoch(self, epoch: int, lr: float, train: Totals, test: Totals, selection: Totals) -> None:
        """The epoch's one synchronisation: metrics to the host, diverged members out, better ones remembered."""
        rows = torch.stack([t.double() for totals in (train, test, selection) for t in totals]).tolist()
        images = self._images
        counts = [len(labels) for labels in (images.train.train_labels, images.test[1], images.selection[1])]
        better = []
        for k, (track, values) in enumerate(zip(self.tracks, zip(*rows, strict=True), strict=True)):
            if track.diverged:
                continue
            if not math.isfinite(values[0]):
                self._stop(k, values[0] / counts[0], epoch)
                continue
            train_k, test_k, selection_k = (
                Performance(values[2 * i] / count, 100 * values[2 * i + 1] / count) for i, count in enumerate(counts)
            )
            track.history.append(Epoch(epoch, lr, train_k, test_k, selection_k))
            if values[5] > track.best_correct:
                track.best_epoch, track.best_correct = epoch, int(values[5])
                better.append(k)
        chosen = torch.tensor(better, dtype=torch.int64, device=self._device)
        self._best.copy_members(self._parameters, chosen)
        for name, buffer in self._best_buffers.items():
            buffer.index_copy_(0, chosen, self._buffers[name].index_select(0, chosen))

    def _stop(self, k: int, loss: float, epoch: int) -> None:
        """Take a member out without moving the others."""
        track = self.tracks[k]
        track.diverged = Diverged.at(loss, track.member.request.iteration, epoch, self._spec)
        for vector in (self._parameters, self._velocity, self._mask):
            vector.clear(k)
        for name, buffer in self._buffers.items():
            buffer[k] = track.member.request.buffers[name]

    def _standing(self, epochs_done: int) -> "StackStanding | None":
        places = {track.place: k for k, track in enumerate(self.tracks) if not track.diverged}
        return StackStanding(self, places, epochs_done, epochs_done == self._spec.epochs) if places else None

    def _trained(self, k: int) -> Trained:
        state = self.state(k)
        best, last = (self._state_dict(snapshot) for snapshot in (state.best, state.current))
        return Trained(best, last, state.best_epoch, state.history)

    def _state_dict(self, snapshot: Snapshot) -> State:
        tensors = {**self._flat.unflatten(snapshot.parameters), **snapshot.buffers}
        return {name: tensors[name] for name in self._names}


@dataclass(frozen=True)
class StackStanding:
    """How a stack stands; members' states are copied out of it only where they are asked for."""

    stack: Stack
    places: dict[int, int]
    epochs_done: int
    finished: bool

    @property
    def members(self) -> Sequence[int]:
        return list(self.places)

    def state(self, index: int) -> TrainingState:
        return self.stack.state(self.places[index])

    def latest(self, index: int) -> Epoch:
        return self.stack.tracks[self.places[index]].history[-1]


def _batch_key(member: Member) -> tuple[int, int]:
    return member.spec.seed, member.request.iteration
