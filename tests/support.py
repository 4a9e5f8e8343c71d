"""What several tests share."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def command_line(*overrides: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """`python -m src.main` with these overrides, without tracking, on the CPU."""
    return subprocess.run(
        [sys.executable, "-m", "src.main", "tracking=none", "device=cpu", *overrides],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@functools.cache
def fashion_mnist_root() -> Path:
    """A folder that holds Fashion-MNIST; skips the test where it cannot be had."""
    from src.data.mnist import FashionMnist
    from src.errors import UserError

    root = ROOT / "data"
    try:
        FashionMnist(root=str(root)).load()
    except UserError as error:
        pytest.skip(f"no Fashion-MNIST: {error}")
    return root
