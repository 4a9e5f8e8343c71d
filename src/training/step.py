"""One training step of one model, on tensors that stay where they are."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from src.training.capture import Captured
from src.training.execution import Execution, autocast
from src.training.parameters import FlatParameters
from src.training.spec import TrainingSpec
from src.training.update import clip_, optimizer, set_learning_rate


class Step:
    """Forward, backward, clip, mask, update (PROTOCOL 2.3), without synchronising with the host.

    `mask` and `velocity` [parameters] are written in place between trainings, the learning rate between epochs:
    nothing is compiled or captured again. `loss` (float64) and `correct` (int64) sum over the images of an epoch.
    """

    def __init__(self, model: nn.Module, flat: FlatParameters, spec: TrainingSpec, execution: Execution) -> None:
        device = flat.vector.device
        self.mask, self.velocity = torch.ones_like(flat.vector), torch.zeros_like(flat.vector)
        self.loss = torch.zeros((), dtype=torch.float64, device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        self._flat, self._spec, self._execution, self._device = flat, spec, execution, device
        self._model = torch.compile(model) if execution.compile == "compile" else model
        self._sgd = optimizer(flat.leaf, self.velocity, spec, capturable=execution.captures)
        self._run: Callable[[Tensor, Tensor], None] = self._step
        if execution.captures:
            kept = [flat.vector, self.velocity, self.loss, self.correct, *model.buffers()]
            self._run = Captured(self._step, kept)

    def begin(self, mask: Tensor, velocity: Tensor) -> None:
        """A training begins, or goes on."""
        self.mask.copy_(mask)
        self.velocity.copy_(velocity)

    def begin_epoch(self, lr: float) -> None:
        """An epoch begins."""
        set_learning_rate(self._sgd, lr)
        self.loss.zero_()
        self.correct.zero_()

    def __call__(self, x: Tensor, y: Tensor) -> None:
        """One update from normalised images [batch, C, H, W] and their labels [batch]."""
        self._run(self._execution.arrange(x), y)

    def _step(self, x: Tensor, y: Tensor) -> None:
        gradient = self._flat.gradient
        gradient.zero_()
        with autocast(self._spec.precision, self._device):
            logits = self._model(x)
            loss = cross_entropy(logits, y)
        loss.backward()
        if self._spec.clip_after_mask:
            gradient.mul_(self.mask)
        clip_(gradient, self._flat.gradients, self._spec.clip_norm)
        gradient.mul_(self.mask)
        self._sgd.step()
        self.loss += loss.detach() * len(y)
        self.correct += (logits.detach().argmax(1) == y).sum()
