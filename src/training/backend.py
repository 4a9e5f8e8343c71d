"""How an engine computes: the arithmetic, which is part of a training, and the means, which are not."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from src.training.spec import Precision

BATCHES_AT_ONCE = {"cpu": 4, "cuda": 32}
"""Batches that are gathered and augmented in one go: fewer operations, as long as a CPU's caches hold them."""

WARM_UP = 3
"""Runs before a capture, in which libraries choose their kernels."""


@dataclass(frozen=True)
class Backend:
    """Means that leave the arithmetic what it is, but for its rounding; all off by default.

    channels_last: images in this memory format, which suits convolutions on recent GPUs.
    compile: `graph` captures the whole step, update included, as one CUDA graph; `compile` compiles the model with
    torch.compile as well; a CPU has no graphs and runs the step as it is.
    """

    channels_last: bool = False
    compile: str = "none"

    @property
    def captures(self) -> bool:
        """Whether the step becomes a CUDA graph where there is CUDA."""
        return self.compile != "none"

    def arrange(self, images: Tensor) -> Tensor:
        """Images [n, C, H, W] in the memory format that is asked for."""
        return images.contiguous(memory_format=torch.channels_last) if self.channels_last else images

    def learning_rate(self, value: float, device: torch.device) -> float | Tensor:
        """A number, or a tensor where it is part of a captured step, which it outlives."""
        return torch.tensor(value, device=device) if self.captures else value


EAGER = Backend()
"""One operation after the other."""


def renewed(rate: float | Tensor, value: float) -> float | Tensor:
    """A learning rate of `Backend.learning_rate` with another value; a tensor stays where it is."""
    return rate.fill_(value) if isinstance(rate, Tensor) else value


def batches_at_once(device: torch.device, groups: int = 1) -> int:
    """How many batches of each group are best prepared together."""
    count = BATCHES_AT_ONCE.get(device.type, 1)
    return max(count // groups, 1) if device.type == "cpu" else count


@contextmanager
def float32_products(precision: Precision) -> Iterator[None]:
    """How CUDA multiplies float32 in here: in full, or as TF32 where `precision` allows less than float32."""
    settings = torch.backends.cudnn.conv, torch.backends.cuda.matmul  # type: ignore[attr-defined]
    before = [setting.fp32_precision for setting in settings]
    try:
        for setting in settings:
            setting.fp32_precision = "ieee" if precision == "fp32" else "tf32"
        yield
    finally:
        for setting, value in zip(settings, before, strict=True):
            setting.fp32_precision = value


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """For a forward pass: bfloat16 where `precision` says so."""
    # no cache: every weight is used once, and a captured graph must not keep casts from outside
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False) if precision == "bf16" else nullcontext()


@contextmanager
def seeded(device: torch.device, numbers: Sequence[int], rank: int = 0) -> Iterator[None]:
    """What a network draws in here, as its dropout does, `numbers` and the process's rank decide, and nothing else."""
    seed = int(np.random.SeedSequence(numbers, spawn_key=(rank,)).generate_state(1)[0])
    with forked(device):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def forked(device: torch.device) -> AbstractContextManager[None]:
    """PyTorch's generators, of the CPU and of `device`, are afterwards as they were."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])


class Captured:
    """A step that runs on tensors which stay where they are, captured once for each shape of its inputs.

    `changes`: everything that the step writes and that outlives it; warming up leaves it as it was. Inputs are copied
    to fixed places and the graph is replayed. On a CPU the step itself runs on the fixed inputs instead.
    """

    def __init__(self, step: Callable[..., None], changes: Sequence[Tensor]) -> None:
        self._step = step
        self._changes = changes
        self._recordings: dict[tuple[torch.Size, ...], tuple[list[Tensor], Callable[[], None]]] = {}

    def __call__(self, *inputs: Tensor) -> None:
        """Run the step on `inputs`."""
        shapes = tuple(tensor.shape for tensor in inputs)
        if shapes not in self._recordings:
            self._recordings[shapes] = self._record([tensor.clone() for tensor in inputs])
        fixed, replay = self._recordings[shapes]
        for place, tensor in zip(fixed, inputs, strict=True):
            place.copy_(tensor)
        replay()

    def _record(self, fixed: list[Tensor]) -> tuple[list[Tensor], Callable[[], None]]:
        before = [tensor.clone() for tensor in self._changes]
        replay: Callable[[], None]
        with forked(fixed[0].device):
            if fixed[0].is_cuda:
                replay = self._capture(fixed)
            else:
                self._step(*fixed)
                replay = partial(self._step, *fixed)
        with torch.no_grad():
            for tensor, value in zip(self._changes, before, strict=True):
                tensor.copy_(value)
        return fixed, replay

    def _capture(self, fixed: list[Tensor]) -> Callable[[], None]:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self._step(*fixed)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step(*fixed)
        return graph.replay
