"""Pruning in a training loop: what Lightning's and Transformers' callbacks, and your own loop, call."""

from numbers import Integral

from torch import nn

from ..config.part import require
from ..errors import UserError
from ..library.masks import Masks
from ..library.network import Keep, no_embedding
from ..library.pruning import included, prune_step
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

    `seed` decides what RandomPruning draws.

    Raises:
        UserError: settings out of their limits, a network with nothing to prune, a method that each epoch's weights
            alone do not decide.
    """

    def __init__(
        self,
        network: nn.Module,
        method: Method = Sap(),  # noqa: B008
        *,
        every: int = 1,
        keep: Keep = no_embedding,
        masks: Masks | None = None,
        seed: int | None = None,
    ) -> None:
        kind = type(method).__name__
        method.check(kind)
        for key, count, least in (("every", every, 1), ("iterations", method.iterations, 0), ("seed", seed or 0, 0)):
            whole = isinstance(count, Integral) and count >= least
            require(whole, key, count, f"a whole number of {least} or more")
        if method.decided_on != "iteration" or method.score.needs_network:
            raise UserError(
                f"{kind} is not decided by each epoch's weights alone: take LotteryTicket, Sap or RandomPruning, or "
                "call prune_step yourself, of the network that decides, with batches=... where its score needs them"
            )
        self.network, self.method, self.every, self.seed = network, method, every, seed
        self.masks = masks if masks is not None else Masks.of(network, keep)
        included(self.masks, method)
        self.epochs = 0

    def after_step(self) -> None:
        """Set pruned weights back to zero."""
        self.masks.apply(self.network)

    def after_epoch(self) -> None:
        """Count the epoch, and prune where it is time."""
        self.epochs += 1
        done = self.epochs // self.every
        if self.epochs % self.every == 0 and done <= self.method.prunings:
            self.masks = prune_step(self.network, self.masks, self.method, iteration=done - 1, seed=self.seed)
