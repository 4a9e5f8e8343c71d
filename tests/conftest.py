"""What all tests share."""

import signal

import pytest
import torch

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of a job in a shell's background; processes would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Enough for small networks; threads that wait for each other on a shared machine take a hundred times as long."""
    torch.set_num_threads(1)
