"""Pruning in a training loop: what Lightning's and Transformers' callbacks, and your own loop, call."""

from torch import nn

from ..config.part import within
from ..library.masks import Masks
from ..library.network import Keep, no_embedding
from ..library.pruning import prune_step
from ..pruning.method import Method
from ..pruning.methods.sap import Sap


class Pruner:
    """Prunes a network by one step of `method` after each `every` epochs, `method.iterations` times at most.

        pruner = Pruner(network, Sap(p=0.5, q=1.0), every=5)
        for epoch in range(epochs):
            for batch in batches:
                ...
                optimizer.step()
                pruner.after_step()
            pruner.after_epoch()

    Raises:
        UserError: settings out of their limits, a network with nothing to prune.
    """

    def __init__(
        self,
        network: nn.Module,
        method: Method = Sap(),  # noqa: B008
        *,
        every: int = 1,
        keep: Keep = no_embedding,
        masks: Masks | None = None,
    ) -> None:
        method.check(type(method).__name__)
        within("every", every, at_least=1)
        self.network, self.method, self.every = network, method, every
        self.masks = masks if masks is not None else Masks.of(network, keep)
        self.epochs = 0

    def after_step(self) -> None:
        """Set pruned weights back to zero."""
        self.masks.apply(self.network)

    def after_epoch(self) -> None:
        """Count the epoch, and prune where it is time."""
        self.epochs += 1
        done = self.epochs // self.every
        if self.epochs % self.every == 0 and done <= self.method.prunings:
            self.masks = prune_step(self.network, self.masks, self.method, iteration=done - 1)
