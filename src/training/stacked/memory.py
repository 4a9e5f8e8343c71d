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

    The last is measured on a copy of `model` with 2 and 4 images.
    """
    trial = copy.deepcopy(model).cpu().train()
    per_image = (kept_bytes(trial, image_shape, 4) - kept_bytes(trial, image_shape, 2)) // 2
    parameters = sum(p.numel() * p.element_size() for p in model.parameters())
    buffers = sum(b.numel() * b.element_size() for b in model.buffers())
    return VECTORS * parameters + 2 * buffers + WORKSPACE * batch_size * per_image


def kept_bytes(model: nn.Module, image_shape: ImageShape, images: int) -> int:
    """Bytes that a forward pass of so many images keeps for the backward pass, parameters included."""
    kept = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        model(torch.zeros(images, *image_shape)).logsumexp(1).sum()
    return kept


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
