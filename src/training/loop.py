"""One training from top to bottom: the solo engine, which trains one network after the other on one device.

    masked start -> each epoch: (batch -> forward, backward, clip, mask, step)*, test, best so far -> best and last

Nothing waits for the host within an epoch. All parameters are views of one vector, and so are their gradients.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from src.data.batches import epoch_generator, training_batches
from src.data.dataset import Dataset
from src.messages import Epoch, LabelledBatches, Performance, State, Trained
from src.training.alone import Alone, Gradient, has_layers, same_bits
from src.training.backend import EAGER, Backend, Captured, autocast, float32_products, forked, renewed, seeded
from src.training.images import ScoringBatches, prepare_images
from src.training.optimizers import Adam, AdamW, Sgd
from src.training.schedules import Constant, Cosine, Linear, Step
from src.training.spec import TrainingSpec
from src.training.state import Diverged, EpochEnd, Member, Snapshot, TrainingState, renew
from src.training.vectors import FlatParameters, clip_

EVALUATION_BATCH = 1000

KNOWN = {Sgd, Adam, AdamW, Cosine, Step, Linear, Constant}
"""Optimizers and schedules that need no trial."""


class SoloEngine:
    """Trains, evaluates and scores one model on one data set; `spec`: what all members have in common, but the seed."""

    stacked = False
    """Whether trainings cost less together than one after the other, so that those to come are done now."""

    rank = 0
    """The number of this process among those that share a training."""

    def __init__(
        self, spec: TrainingSpec, dataset: Dataset, model: nn.Module, device: torch.device, backend: Backend = EAGER
    ) -> None:
        spec.optimizer.check("trainer.optimizer")
        self.spec, self.device, self.backend = spec, device, backend
        self.images = prepare_images(dataset, spec.validation_fraction, device)
        images = len(self.images.train.train_labels)
        known = {type(spec.optimizer), type(spec.schedule)} <= KNOWN
        if not known or (images % spec.batch_size or spec.batch_size) == 1:
            from src.training.checks import check_training

            check_training(spec, model, dataset.image_shape, images, backend.captures)
        self.model = model.to(device)
        self.flat = FlatParameters(model)
        first: dict[int, str] = {}  # layers may share a tensor, which a state dict names for each of them
        states = model.state_dict(keep_vars=True)
        self._names = {name: first.setdefault(id(tensor), name) for name, tensor in states.items()}
        self._kept = [name for name, _ in model.named_buffers() if name in self._names]
        self._network = self._training_form()
        self._gradient = self._fastest_gradient()
        self._room = self.images.room(spec.batch_size)[0]
        # all that a step writes or reads stays where it is, so that it can be captured once for all trainings
        self._mask = torch.ones_like(self.flat.trained)
        self._optimizer = spec.optimizer.state(self.flat.trained)
        self._lr = backend.learning_rate(spec.lr, device)
        self._loss = torch.zeros((), dtype=torch.float64, device=device)
        self._correct = torch.zeros((), dtype=torch.int64, device=device)
        self._run: Callable[[Tensor, Tensor], None] = self._step
        if backend.captures:
            written = [self.flat.vector, *self._optimizer.values(), self._loss, self._correct, *model.buffers()]
            self._run = Captured(self._step, written)

    def train(
        self, members: Sequence[Member], after_epoch: Callable[[EpochEnd], None] = lambda _: None
    ) -> list[Trained | Diverged]:
        """The trainings of `members`, one after the other, each from its checkpoint where it had been interrupted.

        `after_epoch` sees how the one at work stands after each epoch, the last one included. A training whose loss is
        no longer finite is answered by Diverged.
        """
        with float32_products(self.spec.precision):
            return [self._train(index, member, after_epoch) for index, member in enumerate(members)]

    def evaluate(self, state: State) -> Performance:
        """Loss and accuracy of `state` on the test set."""
        self._load(self._flattened(state))
        with float32_products(self.spec.precision), seeded(self.device, [], self.rank):
            return self._performance(*self.images.test)[0]

    def score(
        self, state: State, function: Callable[[nn.Module, LabelledBatches], Mapping[str, Tensor]], seed: int
    ) -> dict[str, Tensor]:
        """`function` of a network of its own in `state`, in evaluation mode, and of the training images.

        They come in batches, in an order that `seed` decides, and are not augmented.
        """
        from src.library.network import for_scoring

        network = copy.deepcopy(self.model)
        network.load_state_dict({name: state[first] for name, first in self._names.items()})
        batches = ScoringBatches(self.images.train, self.spec.batch_size, seed, self.backend)
        with (
            float32_products(self.spec.precision),
            seeded(self.device, [seed]),
            torch.enable_grad(),
            for_scoring(network),
        ):
            scores = function(network, batches)
        return {name: score.detach().clone() for name, score in scores.items()}

    def _train(self, index: int, member: Member, after_epoch: Callable[[EpochEnd], None]) -> Trained | Diverged:
        request, until = member.request, member.until
        mask = self.flat.flatten(request.masks)
        state = self.begin(member, mask)
        self._load(state.current)
        self._mask.copy_(mask[: len(self._mask)])
        renew(self._optimizer, state.optimizer or self.spec.optimizer.state(self.flat.trained))
        state.optimizer = self._optimizer
        for epoch in range(member.next_epoch, until):
            with seeded(self.device, [member.spec.seed, request.iteration, epoch], self.rank):
                train = self._epoch(member, epoch)
                if not math.isfinite(train.loss):
                    return Diverged(train.loss, request.iteration, epoch, self.spec)
                self._finish_epoch(state, epoch, train)
            end = EpochEnd((index,), epoch + 1, epoch + 1 == until, lambda _: state, lambda _: state.history[-1])
            after_epoch(end)
        return self.trained(state)

    def begin(self, member: Member, mask: Tensor) -> TrainingState:
        """The training's state before its next epoch; a checkpoint stays as it is."""
        if member.checkpoint:
            return replace(member.checkpoint, history=list(member.checkpoint.history))
        start = self._flattened(member.request.start)
        return TrainingState.begin(start.parameters * mask, start.buffers)

    def trained(self, state: TrainingState) -> Trained:
        """The result of a training that has come to its end."""
        best, last = (self._state_dict(snapshot) for snapshot in (state.best, state.current))
        return Trained(best, last, state.best_epoch, state.history)

    def _epoch(self, member: Member, epoch: int) -> Performance:
        """One pass over the training images; its metrics are those of the model while it was training."""
        spec, dataset = self.spec, self.images.train
        self.model.train()
        self._lr = renewed(self._lr, spec.learning_rate(epoch))
        self._loss.zero_()
        self._correct.zero_()
        generator = epoch_generator(member.spec.seed, member.request.iteration, epoch)
        for x, y in training_batches(dataset, spec.batch_size, generator, spec.shuffle, spec.augment, self._room):
            self._run(self.backend.arrange(self._share(x)), self._share(y))
        images = len(dataset.train_labels)
        return Performance(self._total(self._loss) / images, 100 * self._total(self._correct) / images)

    def _step(self, x: Tensor, y: Tensor) -> None:
        """One step, as in PROTOCOL 2.3, from normalised images [batch, C, H, W] and their labels [batch]."""
        spec, gradient = self.spec, self.flat.gradient
        logits, loss = self._gradient(x, y)
        if spec.clip_after_mask:
            gradient.mul_(self._mask)
        clip_(gradient, self.flat.gradients, spec.clip_norm)
        gradient.mul_(self._mask)
        spec.optimizer.step(self.flat.trained, gradient, self._optimizer, self._lr)
        self._loss += loss * len(y)
        self._correct += (logits.argmax(1) == y).sum()

    def _autograd(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Write the gradient of the mean cross-entropy; logits and loss."""
        self.flat.gradient.zero_()
        with autocast(self.spec.precision, self.device):
            logits = self._network(x)
            loss = cross_entropy(logits, y)
        loss.backward()
        return logits.detach(), loss.detach()

    def _fastest_gradient(self) -> Gradient:
        """Autograd's, or the one written out where that has the same bits."""
        shape, images, size = self.images.train.image_shape, len(self.images.train.train_labels), self.spec.batch_size
        usual = self._network is self.model and self.spec.precision == "fp32" and self.device.type == "cpu"
        if not usual or not has_layers(self.model, math.prod(shape)):
            return self._autograd
        alone, shapes = Alone(self.flat), [(n, *shape) for n in (min(size, images), images % size) if n]
        self.model.train()
        with torch.enable_grad(), forked(self.device):
            same = same_bits(self._autograd, alone, self.flat.gradient, shapes)
        return alone if same else self._autograd

    def _finish_epoch(self, state: TrainingState, epoch: int, train: Performance) -> None:
        """Test, and remember the best epoch so far, the first of equals."""
        test, correct = self._performance(*self.images.test)
        selection = test
        if not self.images.chosen_by_test:
            selection, correct = self._performance(*self.images.selection)
        state.history.append(Epoch(epoch, self.spec.learning_rate(epoch), train, test, selection))
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
                logits = self.model(self.backend.arrange(x)).float()
            total += cross_entropy(logits, y, reduction="sum")
            correct += (logits.argmax(1) == y).sum()
        hits = int(self._total(correct))
        return Performance(self._total(total) / len(labels), 100 * hits / len(labels)), hits

    def _training_form(self) -> nn.Module:
        """The model as it is called in training."""
        return torch.compile(self.model) if self.backend.compile == "compile" else self.model  # type: ignore[return-value]

    def _share(self, images: Tensor) -> Tensor:
        """Of images or labels [n, ...] those that this process works on: all."""
        return images

    def _total(self, value: Tensor) -> float:
        """A sum over these images, to the host."""
        return float(value)

    def _flattened(self, state: State) -> Snapshot:
        return Snapshot(self.flat.flatten(state), {name: state[name] for name in self._kept})

    def _snapshot(self) -> Snapshot:
        buffers = {name: self.model.get_buffer(name).detach().clone() for name in self._kept}
        return Snapshot(self.flat.vector.clone(), buffers)

    @torch.no_grad()
    def _load(self, snapshot: Snapshot) -> None:
        self.flat.vector.copy_(snapshot.parameters)
        for name in self._kept:  # by name: a module may put another tensor into a buffer's place
            self.model.get_buffer(name).copy_(snapshot.buffers[name])

    def _state_dict(self, snapshot: Snapshot) -> dict[str, Tensor]:
        tensors = {**self.flat.unflatten(snapshot.parameters), **snapshot.buffers}
        return {name: tensors[first] for name, first in self._names.items()}
