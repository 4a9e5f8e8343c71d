"""How many members fit a device."""

import copy
import os
from pathlib import Path

import torch
from torch import Tensor, nn

from src.models.shape import ImageShape

SHARE = 0.7
"""Of the free memory that a stack may take: the rest is for batches, results and the allocator."""

VECTORS = 5
"""Parameters, gradient, velocity, mask and best epoch's parameters."""

WORKSPACE = 2
"""Bytes at the peak of a step for each byte that it keeps for its backward pass."""


def members_that_fit(model: nn.Module, image_shape: ImageShape, batch_size: int, device: torch.device) -> int:
    """How many members a stack may have by the memory that is free now; at least 1."""
    return max(int(SHARE * free_memory(device)) // member_bytes(model, image_shape, batch_size), 1)


def member_bytes(model: nn.Module, image_shape: ImageShape, batch_size: int) -> int:
    """Bytes that one member takes: its vectors and buffers, and what a step keeps for its backward pass.

    The step is run on shapes only; `model` stays as it is.
    """
    kept = 0

    def keep(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.numel() * tensor.element_size()
        return tensor

    trial = copy.deepcopy(model).to("meta").train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        trial(torch.empty(batch_size, *image_shape, device="meta")).logsumexp(1).sum()
    parameters = sum(p.numel() * p.element_size() for p in model.parameters())
    buffers = sum(b.numel() * b.element_size() for b in model.buffers())
    return VECTORS * parameters + 2 * buffers + WORKSPACE * kept


def free_memory(device: torch.device) -> int:
    """Free bytes of `device`, those of its allocator's cache included; for the CPU the machine's."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:  # not Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
