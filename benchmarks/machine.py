"""What a benchmark's machine can do, and what it is."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from src.training.backend import float32_products
from src.training.spec import Precision

MATMUL_SIDE = {"cpu": 2048, "cuda": 8192}


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matmul_peak(device: torch.device, precision: Precision = "fp32", repeats: int = 7) -> float:
    """Floating-point operations per second of a large matrix product: the best run of the best library."""
    n = MATMUL_SIDE[device.type]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    times = []
    with float32_products(precision):
        for multiply in _libraries(device):
            for _ in range(repeats):
                synchronise(device)
                start = time.perf_counter()
                multiply(a, b)
                synchronise(device)
                times.append(time.perf_counter() - start)
    return 2 * n**3 / min(times)


def _libraries(device: torch.device) -> list[Callable[[Tensor, Tensor], Tensor]]:
    """What multiplies a by the transpose of b: PyTorch's choice, and oneDNN, which it reserves for other operations."""
    found: list[Callable[[Tensor, Tensor], Tensor]] = [lambda a, b: a @ b.mT]
    on_x86 = device.type == "cpu" and platform.machine() in ("x86_64", "AMD64")
    if on_x86 and torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        found.append(lambda a, b: torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], ""))
    return found


class PeakMemory:
    """Bytes at the peak of a piece of work above those at its start: of the process on a CPU, of PyTorch on a GPU.

    None where the system does not tell (a CPU's needs Linux).
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self._before: int | None = torch.cuda.memory_allocated(device)
            return
        try:
            Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
            self._before = _status("VmRSS")
        except OSError:
            self._before = None

    def read(self) -> int | None:
        """Bytes until now."""
        if self._before is None:
            return None
        peak = torch.cuda.max_memory_allocated(self._device) if self._device.type == "cuda" else _status("VmHWM")
        return peak - self._before


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def describe(device: torch.device) -> dict[str, object]:
    """The machine, the software, and how busy others keep it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else (names or [platform.machine()])[0],
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "load_before": os.getloadavg()[0],
    }


def median(values: list[float]) -> float:
    """The middle one."""
    return statistics.median(values)
