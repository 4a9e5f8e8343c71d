"""A callback for Lightning's trainer: `Trainer(callbacks=[PruningCallback(Sap(p=0.5, q=1.0), every=5)])`."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from ..library.masks import Masks
from ..library.network import Keep, no_embedding
from ..pruning.method import Method
from ..pruning.methods.sap import Sap
from .loop import Pruner


class PruningCallback(Callback):  # type: ignore[misc]
    """Prunes by `method` after each `every` epochs; masks are kept in the trainer's checkpoints.

    Another training of the same network goes on from there.
    """

    def __init__(self, method: Method = Sap(), *, every: int = 1, keep: Keep = no_embedding) -> None:  # noqa: B008
        self.method, self.every, self.keep = method, every, keep
        self.pruner: Pruner | None = None
        self._resumed: dict[str, Any] | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.pruner is None or self.pruner.network is not pl_module:
            self.pruner = Pruner(pl_module, self.method, every=self.every, keep=self.keep)
        if self._resumed is not None:
            self.pruner.masks, self.pruner.epochs = Masks(self._resumed["masks"]), self._resumed["epochs"]
            self._resumed = None

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self._started().after_step()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._started().after_epoch()

    def state_dict(self) -> dict[str, Any]:
        """Nothing before the first training."""
        if self.pruner is None:
            return {}
        return {"masks": dict(self.pruner.masks), "epochs": self.pruner.epochs}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._resumed = state_dict

    def _started(self) -> Pruner:
        assert self.pruner is not None
        return self.pruner
