"""Where a run is trained: the device, and torchrun's processes. Imports no PyTorch before a device is chosen."""

import os
from typing import TYPE_CHECKING

from src.errors import UserError

if TYPE_CHECKING:
    import torch

TORCHRUN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID")
"""What torchrun tells its processes; a single one of these, left behind by something else, means nothing."""


def processes() -> int:
    """How many processes torchrun has started for this command; 1 without it."""
    return int(os.environ["WORLD_SIZE"]) if all(name in os.environ for name in TORCHRUN) else 1


def is_first() -> bool:
    """Whether this process is the one that drives, records and speaks."""
    return processes() == 1 or os.environ["RANK"] == "0"


def choose_device(name: str) -> "torch.device":
    """`auto`: CUDA where there is one, else the CPU. Raises UserError where the device is not there."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    plain = index.isascii() and index.isdigit() and len(index) < 4
    if kind not in ("cpu", "cuda") or (":" in name and not plain) or (kind == "cpu" and int(index or 0) > 0):
        raise UserError(f"device={name} is not allowed: it must be auto, cpu, cuda or cuda:N")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"device={name}: PyTorch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices here; "
            "use device=cpu, or install a driver and a PyTorch build that fit each other"
        )
    return torch.device(name)
