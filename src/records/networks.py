"""The networks that a run keeps: that of its last iteration, and the sparsest at no more than a point lost."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from src.errors import UserError
from src.library.compressed import decompress
from src.records.schema import NETWORKS_FILE, WEIGHTS_FILE
from src.store.tensors import read_tensors

if TYPE_CHECKING:
    from torch import Tensor, nn

    from src.library.masks import Masks
    from src.trajectory import Record

LOST = 1.0
"""Points of accuracy that the sparsest network may be behind that of iteration 0."""


def evaluated_state(record: "Record") -> "dict[str, Tensor]":
    """Parameters and buffers of the network whose accuracy the tables tell; pruned weights are zero."""
    trained = record.trained
    last = record.evaluated.epoch == trained.history[-1].epoch
    return dict(trained.last if last else trained.best)


def kept_iterations(accuracies: Iterable[float]) -> set[int]:
    """Of iterations in their order: the last, and the last within a point of iteration 0's accuracy (%).

    >>> sorted(kept_iterations([90, 91, 89.5, 60, 89, 50, 10]))
    [4, 6]
    """
    values = list(accuracies)
    good = [t for t, accuracy in enumerate(values) if accuracy >= values[0] - LOST]
    return {max(good, default=0), len(values) - 1}


def read_network(folder: Path, iteration: int | None = None) -> "tuple[int, dict[str, Tensor]]":
    """The iteration, by default the last, and the state dict of its network, pruned weights zero.

    Raises:
        UserError: a folder without networks, an iteration that is not kept, a damaged file.
    """
    for name in (NETWORKS_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            continue
        try:
            tensors, shapes = read_tensors(folder / name)
        except OSError as error:
            raise UserError(f"{error}; run it again") from error
        kept = sorted({int(key.split("/", 1)[0].removeprefix("iteration_")) for key in tensors})
        wanted = kept[-1] if iteration is None else iteration
        if wanted in kept:
            prefix = f"iteration_{wanted}/"
            own = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
            return wanted, decompress(own, {k: shape for k, shape in shapes.items() if f"{k}:values" in own})
        if name == NETWORKS_FILE and not (folder / WEIGHTS_FILE).is_file():
            raise UserError(
                f"{folder.name} keeps no network of iteration {iteration}, but of {', '.join(map(str, kept))}; "
                "record.weights=true keeps all"
            )
    raise UserError(f"{folder} keeps no networks: it is no finished run, or had record.networks=false")


def load_network(folder: Path, network: "nn.Module", iteration: int | None = None) -> "Masks":
    """Fill a network of the run's architecture with the weights of an iteration, and give its masks.

    Raises:
        UserError: as `read_network`; another architecture.
    """
    from src.library.masks import Masks

    _, state = read_network(folder, iteration)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(f"the network of {folder.name} is of another architecture: {error}") from error
    return Masks.of_zeros(network)
