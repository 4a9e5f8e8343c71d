"""A callback for Transformers' trainer: `Trainer(..., callbacks=[PruningCallback(Sap(p=0.5, q=1.0))])`."""

from typing import Any

from torch import nn
from transformers import TrainerCallback

from ..library.masks import Masks
from ..library.network import Keep, no_embedding
from ..pruning.method import Method
from ..pruning.methods.sap import Sap
from .loop import Pruner


class PruningCallback(TrainerCallback):  # type: ignore[misc]
    """Prunes by `method` after each `every` epochs. `pruner.masks` are those of the network as it is.

    Another training of the same network goes on from there; one that resumes from a checkpoint takes what is zero in
    it as pruned.
    """

    def __init__(self, method: Method = Sap(), *, every: int = 1, keep: Keep = no_embedding) -> None:  # noqa: B008
        self.method, self.every, self.keep = method, every, keep
        self.pruner: Pruner | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, *, model: nn.Module, **_: Any) -> None:
        if state.global_step > 0:
            masks = Masks.of_zeros(model, self.keep)
            self.pruner = Pruner(model, self.method, every=self.every, masks=masks)
            self.pruner.epochs = int(state.epoch)
        elif self.pruner is None or self.pruner.network is not model:
            self.pruner = Pruner(model, self.method, every=self.every, keep=self.keep)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        assert self.pruner is not None
        self.pruner.after_step()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        assert self.pruner is not None
        self.pruner.after_epoch()
