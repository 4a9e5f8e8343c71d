"""One training on several devices: data-parallel, a process per device, started by torchrun.

The first process drives; the others do what it asks of them. All hold the same parameters and masks, each works on
its share of every batch, and PyTorch's DistributedDataParallel averages the gradients: the records are those of one
process.
"""

import gc
import io
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from src.data.dataset import Dataset
from src.errors import Interrupted, UserError
from src.messages import Epoch, Performance, State, Trained, TrainRequest
from src.training.backend import EAGER, Backend
from src.training.loop import SoloEngine
from src.training.spec import TrainingSpec
from src.training.state import Diverged, EpochEnd, Member, Snapshot, TrainingState

ORDERED: list[Any] = [TrainRequest, TrainingState, Snapshot, Epoch, Performance]
"""What orders of the first process are made of, besides tensors and plain values."""


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """The connection between torchrun's processes."""
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        gc.collect()  # what DistributedDataParallel still holds must not outlive the group
        dist.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """The device of this process: `cuda` means the one with its local number."""
    return torch.device("cuda", int(os.environ["LOCAL_RANK"])) if device.type == "cuda" else device


@contextmanager
def _peers() -> Iterator[None]:
    """Where one of the processes has ended in the middle of a training, by a signal perhaps, the others end, too."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistBackendError) or "gloo" in str(error).lower():
            raise Interrupted(signal.SIGTERM) from error
        raise


class ParallelEngine(SoloEngine):
    """The solo engine with every batch split over processes; the others than the first call `serve`.

    The first process computes scores alone. BatchNorm's statistics are those of the whole batch on CUDA, and of a
    process's share on CPUs. Raises UserError where a batch cannot be split evenly.
    """

    def __init__(
        self, spec: TrainingSpec, dataset: Dataset, model: nn.Module, device: torch.device, backend: Backend = EAGER
    ) -> None:
        self.rank, self._processes = dist.get_rank(), dist.get_world_size()
        if device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        super().__init__(spec, dataset, model, device, replace(backend, compile="none"))
        images = len(self.images.train.train_labels)
        for size in (spec.batch_size, images % spec.batch_size):
            if size % self._processes:
                raise UserError(
                    f"a batch of {size} images cannot be split evenly over {self._processes} processes; choose "
                    "trainer.batch_size and dataset.train_size, or torchrun's --nproc-per-node, so that it can"
                )

    def train(
        self, members: Sequence[Member], after_epoch: Callable[[EpochEnd], None] = lambda _: None
    ) -> list[Trained | Diverged]:
        """As the solo engine's; called by the first process."""
        with _peers():
            self._send(("train", [(member.spec.seed, member.request, member.checkpoint) for member in members]))
            return super().train(members, after_epoch)

    def evaluate(self, state: State) -> Performance:
        """As the solo engine's; called by the first process."""
        with _peers():
            self._send(("evaluate", dict(state)))
            return super().evaluate(state)

    def serve(self) -> None:
        """Take part in what the first process does, until it closes."""
        with _peers():
            while (order := self._send(None)) is not None:
                what, argument = order
                if what == "train":
                    super().train([Member(replace(self.spec, seed=seed), *rest) for seed, *rest in argument])
                else:
                    super().evaluate(argument)

    def close(self) -> None:
        """Let the other processes go; not from the middle of a training, where they would not hear it."""
        self._send(None)

    def _send(self, order: Any) -> Any:
        """What the first process passes here, in all processes; tensors arrive on each one's own device."""
        buffer = io.BytesIO()
        torch.save(order, buffer)
        sent = [buffer.getvalue()]
        dist.broadcast_object_list(sent, src=0)
        with torch.serialization.safe_globals(ORDERED):
            return torch.load(io.BytesIO(sent[0]), map_location=self.device)

    def _training_form(self) -> nn.Module:
        return DistributedDataParallel(self.model)

    def _share(self, images: Tensor) -> Tensor:
        return images[self.rank :: self._processes]

    def _total(self, value: Tensor) -> float:
        summed = value.clone()
        dist.all_reduce(summed)
        return float(summed)
