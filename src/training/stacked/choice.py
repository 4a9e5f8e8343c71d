"""Which models are trained faster in a stack than one after the other: measured, see benchmarks/README.md.

Convolutional networks are not, on a CPU: mapped over the members they become grouped convolutions. On a GPU they have
not been measured, and stay with the solo engine.
"""

import torch

FASTER_STACKED = {"cpu": {"linear", "mlp"}, "cuda": {"linear", "mlp"}}


def stacks(model: str, device: torch.device) -> bool:
    """Whether trainings of `model` are stacked on `device`."""
    return model in FASTER_STACKED.get(device.type, set())
