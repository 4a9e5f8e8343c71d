"""How an engine computes: the arithmetic, which is part of a training, and the means, which are not."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from src.training.spec import Precision

BATCHES_AT_ONCE = {"cuda": 32}
"""Batches that are gathered and augmented in one go: fewer launches on a GPU; a CPU's cache holds one."""


@dataclass(frozen=True)
class Execution:
    """Means that leave the arithmetic what it is, but for its rounding; all off by default.

    channels_last: images in this memory format, which suits convolutions on recent GPUs.
    compile: `graph` captures the whole step, update included, as one CUDA graph; `compile` compiles the model with
    torch.compile as well; a CPU has no graphs and runs the step as it is.
    onednn: matrix products of stacked linear layers by oneDNN on an x86 CPU, where MKL leaves vector units unused.
    """

    channels_last: bool = False
    compile: Literal["none", "graph", "compile"] = "none"
    onednn: bool = False

    @property
    def captures(self) -> bool:
        """Whether the step becomes a CUDA graph where there is CUDA."""
        return self.compile != "none"

    def arrange(self, images: Tensor) -> Tensor:
        """Images [n, C, H, W] in the memory format that is asked for."""
        return images.contiguous(memory_format=torch.channels_last) if self.channels_last else images


EAGER = Execution()
"""One operation after the other."""


def batches_at_once(device: torch.device) -> int:
    """How many batches are best prepared together."""
    return BATCHES_AT_ONCE.get(device.type, 1)


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
