"""What several tests share."""

import contextlib
import functools
import io
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
QUIET = ("tracking=none", "device=cpu")


def command_line(*overrides: str) -> subprocess.CompletedProcess[str]:
    """What `python -m src.main` with these overrides would do, without tracking, on the CPU.

    It is done in this process, which has PyTorch already: a process of its own costs seconds. Only what is about the
    process itself (signals, start-up, the environment) needs `process`.
    """
    import torch

    from src import main

    words = [*QUIET, *overrides]
    threads, root_level = torch.get_num_threads(), logging.getLogger().level
    handlers = list(logging.getLogger().handlers)
    out, err = io.StringIO(), io.StringIO()
    argv, sys.argv = sys.argv, [str(ROOT / "src" / "main.py"), *words]
    status = 0
    try:
        with contextlib.chdir(ROOT), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main.main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.argv = argv
        torch.set_num_threads(threads)
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(root_level)
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


def process(*overrides: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """`python -m src.main` with these overrides, without tracking, on the CPU, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "src.main", *QUIET, *overrides],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
    )


def started(*overrides: str) -> subprocess.Popen[bytes]:
    """The same begun, unheard; a signal to its group reaches its children, too."""
    command = [sys.executable, "-m", "src.main", *QUIET, *overrides]
    heard = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, stdout=heard, stderr=heard, process_group=0)


def wait_for(folder: Path, pattern: str, process: subprocess.Popen[bytes]) -> None:
    """Until there is such a file, or the process that should make it has ended, or ten minutes have passed."""
    deadline = time.monotonic() + 600
    while not list(folder.glob(pattern)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def folder_of(done: subprocess.CompletedProcess[str]) -> Path:
    """The run's folder, which a command prints as its last line."""
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip().splitlines()[-1])


@functools.cache
def fashion_mnist_root() -> Path:
    """A folder that holds Fashion-MNIST; skips the test where it cannot be had."""
    from src.data.published import FashionMnist
    from src.errors import UserError

    root = ROOT / "data"
    try:
        FashionMnist(root=str(root), train_size=1, test_size=1).load()
    except UserError as error:
        pytest.skip(f"no Fashion-MNIST: {error}")
    return root
