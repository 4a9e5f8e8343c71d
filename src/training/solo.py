"""The solo engine: one training at a time, on one device, without a host synchronisation inside an epoch."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from src.data import Dataset, epoch_generator, normalise, training_batches, validation_split
from src.errors import UserError
from src.requests import Epoch, Performance, State, Trained, TrainRequest
from src.training.last_batch import check_last_batch
from src.training.parameters import FlatParameters
from src.training.spec import TrainingSpec
from src.training.state import Snapshot, TrainingState
from src.training.update import clip_, optimizer

EVALUATION_BATCH = 1000
Images = tuple[Tensor, Tensor]


class Diverged(UserError):
    """The training loss is no longer finite."""


class SoloEngine:
    """Trains and evaluates one model on one data set; trainings share nothing but the initial state."""

    def __init__(self, spec: TrainingSpec, dataset: Dataset, model: nn.Module, device: torch.device) -> None:
        self.spec = spec
        self.model = model.to(device)
        self.device = device
        self.initial = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        self._flat = FlatParameters(model)
        self._buffers = dict(model.named_buffers())
        dataset = dataset.to(device)
        self._test = self._normalised(dataset, dataset.test_images), dataset.test_labels
        self._selection = self._test
        if spec.validation_fraction is not None:
            dataset, images, labels = validation_split(dataset, spec.validation_fraction)
            self._selection = self._normalised(dataset, images), labels
        check_last_batch(model, dataset.image_shape, len(dataset.train_labels), spec.batch_size)
        self._dataset = dataset

    def train(
        self,
        request: TrainRequest,
        state: TrainingState | None = None,
        after_epoch: Callable[[TrainingState], None] = lambda _: None,
    ) -> Trained:
        """The training that `request` describes, from `state` where it had been interrupted.

        `after_epoch` sees the state after each epoch, the last one included. Raises Diverged on a non-finite loss.
        """
        mask = self._flat.flatten(request.masks)
        state = state or self._begin(request, mask)
        self._load(state.current)
        sgd = optimizer([self._flat.leaf], self.spec)
        sgd.state[self._flat.leaf]["momentum_buffer"] = state.velocity
        for epoch in range(len(state.history), self.spec.epochs):
            lr = self.spec.lr * 0.5 * (1 + math.cos(math.pi * epoch / self.spec.epochs))
            sgd.param_groups[0]["lr"] = lr
            train = self._epoch(request.iteration, epoch, mask, sgd)
            if not math.isfinite(train.loss):
                raise Diverged(
                    f"the training loss became {train.loss} in iteration {request.iteration}, epoch {epoch}: "
                    f"lower trainer.lr (now {self.spec.lr}) or trainer.clip_norm (now {self.spec.clip_norm})"
                )
            self._finish_epoch(state, epoch, lr, train)
            after_epoch(state)
        return Trained(self._state_dict(state.best), self._state_dict(state.current), state.best_epoch, state.history)

    def evaluate(self, state: State) -> Performance:
        """Loss and accuracy of `state` on the test set."""
        self._load(Snapshot(self._flat.flatten(state), {name: state[name] for name in self._buffers}))
        return self._performance(*self._test)[0]

    def _begin(self, request: TrainRequest, mask: Tensor) -> TrainingState:
        start = Snapshot(self._flat.flatten(self.initial) * mask, dict(request.buffers))
        return TrainingState(start, torch.zeros_like(start.parameters), start)

    def _epoch(self, iteration: int, epoch: int, mask: Tensor, sgd: torch.optim.Optimizer) -> Performance:
        """One pass over the training images; its metrics are those of the model while it was training."""
        spec, flat = self.spec, self._flat
        self.model.train()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        generator = epoch_generator(spec.seed, iteration, epoch)
        for x, y in training_batches(self._dataset, spec.batch_size, generator, spec.shuffle, spec.augment):
            flat.gradient.zero_()
            logits = self.model(x)
            loss = cross_entropy(logits, y)
            loss.backward()
            if spec.clip_after_mask:
                flat.gradient.mul_(mask)
            clip_(flat.gradient, flat.gradients, spec.clip_norm)
            flat.gradient.mul_(mask)
            sgd.step()
            total += loss.detach() * len(y)
            correct += (logits.detach().argmax(1) == y).sum()
        images = len(self._dataset.train_labels)
        return Performance(float(total) / images, 100 * int(correct) / images)

    def _finish_epoch(self, state: TrainingState, epoch: int, lr: float, train: Performance) -> None:
        test, correct = self._performance(*self._test)
        selection = test
        if self._selection is not self._test:
            selection, correct = self._performance(*self._selection)
        state.history.append(Epoch(epoch, lr, train, test, selection))
        state.current = self._snapshot()
        if correct > state.best_correct:
            state.best, state.best_epoch, state.best_correct = state.current, epoch, correct

    @torch.no_grad()
    def _performance(self, images: Tensor, labels: Tensor) -> tuple[Performance, int]:
        self.model.eval()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        for x, y in zip(images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True):
            logits = self.model(x)
            total += cross_entropy(logits, y, reduction="sum")
            correct += (logits.argmax(1) == y).sum()
        hits = int(correct)
        return Performance(float(total) / len(labels), 100 * hits / len(labels)), hits

    def _normalised(self, dataset: Dataset, images: Tensor) -> Tensor:
        return normalise(images, dataset.mean, dataset.std)

    def _snapshot(self) -> Snapshot:
        return Snapshot(self._flat.vector.clone(), {name: b.clone() for name, b in self._buffers.items()})

    @torch.no_grad()
    def _load(self, snapshot: Snapshot) -> None:
        self._flat.vector.copy_(snapshot.parameters)
        for name, buffer in self._buffers.items():
            buffer.copy_(snapshot.buffers[name])

    def _state_dict(self, snapshot: Snapshot) -> dict[str, Tensor]:
        tensors: Mapping[str, Tensor] = {**self._flat.unflatten(snapshot.parameters), **snapshot.buffers}
        return {name: tensors[name] for name in self.initial}
