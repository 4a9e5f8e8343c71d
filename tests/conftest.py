"""What all tests share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Enough for small networks; threads that wait for each other on a shared machine take a hundred times as long."""
    torch.set_num_threads(1)
