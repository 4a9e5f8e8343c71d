"""The device that a group of runs is on."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from src.execution import execute


class Loaded(Exception):
    """The images are asked for."""


def load():
    raise Loaded


@pytest.mark.parametrize(("device", "entered"), [("cuda:1", ["cuda:1"]), ("cpu", [])])
def test_a_gpu_is_the_current_one_before_anything_is_there(device, entered, monkeypatch):
    """Streams, graphs and NCCL take the current one where none is named: on another nothing would be captured."""
    seen = []
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext(seen.append(str(device))))
    monkeypatch.setattr(execute, "choose_device", torch.device)
    run = SimpleNamespace(config=SimpleNamespace(device=device, threads=1, dataset=SimpleNamespace(load=load)))
    with pytest.raises(Loaded):
        execute._execute([run], stacked=False)
    assert seen == entered
