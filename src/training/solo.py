"""The solo engine: one training at a time, on one device, without a host synchronisation inside an epoch."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from src.data import Dataset, epoch_generator, training_batches
from src.requests import Epoch, Performance, State, Trained
from src.training.execution import EAGER, Execution, autocast, batches_at_once, float32_products
from src.training.images import prepare_images
from src.training.last_batch import check_last_batch
from src.training.members import Diverged, Member, Standing
from src.training.parameters import FlatParameters
from src.training.spec import TrainingSpec
from src.training.state import Snapshot, TrainingState
from src.training.step import Step
from src.training.update import learning_rate

EVALUATION_BATCH = 1000


@dataclass(frozen=True)
class _Alone:
    """How the one training at work stands."""

    members: Sequence[int]
    epochs_done: int
    finished: bool
    training: TrainingState

    def state(self, _index: int) -> TrainingState:
        return self.training

    def latest(self, _index: int) -> Epoch:
        return self.training.history[-1]


class SoloEngine:
    """Trains and evaluates one model on one data set, one training after the other.

    `spec`: what all members have in common; seed and initial state are the members' own.
    """

    ahead = False

    def __init__(
        self,
        spec: TrainingSpec,
        dataset: Dataset,
        model: nn.Module,
        device: torch.device,
        execution: Execution = EAGER,
    ) -> None:
        self.spec = spec
        self.model = model.to(device)
        self.device = device
        self.flat = FlatParameters(model)
        self.images = prepare_images(dataset, spec.validation_fraction, device)
        check_last_batch(model, dataset.image_shape, len(self.images.train.train_labels), spec.batch_size)
        self._names = list(model.state_dict())
        self._buffers = dict(model.named_buffers())
        self._execution = execution
        self._step = self._make_step()

    def train(
        self, members: Sequence[Member], after_epoch: Callable[[Standing], None] = lambda _: None
    ) -> list[Trained | Diverged]:
        """The trainings of `members`, one after the other, each from its checkpoint where it had been interrupted.

        `after_epoch` sees how the one at work stands after each epoch, the last one included. A training whose loss is
        no longer finite is answered by Diverged.
        """
        with float32_products(self.spec.precision):
            return [self._train(index, member, after_epoch) for index, member in enumerate(members)]

    def evaluate(self, state: State) -> Performance:
        """Loss and accuracy of `state` on the test set."""
        self._load(Snapshot(self.flat.flatten(state), {name: state[name] for name in self._buffers}))
        with float32_products(self.spec.precision):
            return self._performance(*self.images.test)[0]

    def _train(self, index: int, member: Member, after_epoch: Callable[[Standing], None]) -> Trained | Diverged:
        request = member.request
        mask = self.flat.flatten(request.masks)
        state = member.state or TrainingState.begin(self.flat.flatten(member.initial) * mask, request.buffers)
        self._load(state.current)
        self._step.begin(mask, state.velocity)
        state.velocity = self._step.velocity
        for epoch in range(len(state.history), self.spec.epochs):
            lr = learning_rate(self.spec, epoch)
            train = self._epoch(epoch_generator(member.spec.seed, request.iteration, epoch), lr)
            if not math.isfinite(train.loss):
                return Diverged.at(train.loss, request.iteration, epoch, self.spec)
            self._finish_epoch(state, epoch, lr, train)
            after_epoch(_Alone((index,), epoch + 1, epoch + 1 == self.spec.epochs, state))
        return Trained(self._state_dict(state.best), self._state_dict(state.current), state.best_epoch, state.history)

    def _epoch(self, generator: np.random.Generator, lr: float) -> Performance:
        """One pass over the training images; its metrics are those of the model while it was training."""
        spec, step, dataset = self.spec, self._step, self.images.train
        at_once = batches_at_once(self.device)
        self.model.train()
        step.begin_epoch(lr)
        for x, y in training_batches(dataset, spec.batch_size, generator, spec.shuffle, spec.augment, at_once):
            step(self._share(x), self._share(y))
        images = len(dataset.train_labels)
        return Performance(self._total(step.loss) / images, 100 * self._total(step.correct) / images)

    def _finish_epoch(self, state: TrainingState, epoch: int, lr: float, train: Performance) -> None:
        test, correct = self._performance(*self.images.test)
        selection = test
        if not self.images.chosen_by_test:
            selection, correct = self._performance(*self.images.selection)
        state.history.append(Epoch(epoch, lr, train, test, selection))
        state.current = self._snapshot()
        if correct > state.best_correct:
            state.best, state.best_epoch, state.best_correct = state.current, epoch, correct

    @torch.no_grad()
    def _performance(self, images: Tensor, labels: Tensor) -> tuple[Performance, int]:
        self.model.eval()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        parts = self._share(images).split(EVALUATION_BATCH), self._share(labels).split(EVALUATION_BATCH)
        for x, y in zip(*parts, strict=True):
            with autocast(self.spec.precision, self.device):
                logits = self.model(self._execution.arrange(x)).float()
            total += cross_entropy(logits, y, reduction="sum")
            correct += (logits.argmax(1) == y).sum()
        hits = int(self._total(correct))
        return Performance(self._total(total) / len(labels), 100 * hits / len(labels)), hits

    def _make_step(self) -> Step:
        return Step(self.model, self.flat, self.spec, self._execution)

    def _share(self, images: Tensor) -> Tensor:
        """Of images or labels [n, ...] those that this process works on: all."""
        return images

    def _total(self, value: Tensor) -> float:
        """A sum over these images, to the host."""
        return float(value)

    def _snapshot(self) -> Snapshot:
        return Snapshot(self.flat.vector.clone(), {name: b.clone() for name, b in self._buffers.items()})

    @torch.no_grad()
    def _load(self, snapshot: Snapshot) -> None:
        self.flat.vector.copy_(snapshot.parameters)
        for name, buffer in self._buffers.items():
            buffer.copy_(snapshot.buffers[name])

    def _state_dict(self, snapshot: Snapshot) -> dict[str, Tensor]:
        tensors: Mapping[str, Tensor] = {**self.flat.unflatten(snapshot.parameters), **snapshot.buffers}
        return {name: tensors[name] for name in self._names}
