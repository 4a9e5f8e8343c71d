"""What a run's network consists of, and that it is always the same one."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from src.execution.initial_state import InitialStates
from src.models.model import Model
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.records.schema import read_status
from src.store.tensors import read_tensors, write_tensors
from src.trajectory import Layout
from tests.interruption import interruption
from tests.support import command_line, folder_of
from tests.training.examples import CPU, patterns


def test_buffers_that_a_state_dict_leaves_out_are_no_part_of_a_runs_state():
    states = InitialStates(patterns(), CPU)
    states.model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 10))
    states.model.register_buffer("positions", torch.ones(64), persistent=False)
    run = SimpleNamespace(config=SimpleNamespace(prune=LotteryTicket()))
    assert states.layout(run) == Layout(["2.weight"], ["1.running_mean", "1.running_var", "1.num_batches_tracked"])


@dataclass(frozen=True)
class Shifted(Model):
    """Its parameters are moved by what a file might hold."""

    def build(self, image_shape, classes):
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, classes))
        network[1].bias.data += SHIFT["by"]
        return network


@dataclass(frozen=True)
class Unseeded(Model):
    """Draws from NumPy's generator: a buffer that no state dict has, or the weights."""

    buffer: bool = False

    def build(self, image_shape, classes):
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, classes))
        drawn = torch.from_numpy(np.random.default_rng().standard_normal((classes, 64), np.float32))
        network.register_buffer("drawn", drawn, persistent=False)
        if not self.buffer:
            network[1].weight.data.copy_(drawn)
        return network


SHIFT = {"by": 0.0}
RUN = [f"model._target_={__name__}.Shifted", "model=linear", "dataset=digits", "trainer=smoke", "threads=1",
       "prune=lottery_ticket", "prune.iterations=3"]  # fmt: skip


def forget_how_it_began(folder):
    """As records were written once."""
    for path in (folder / "iterations").glob("*.start.safetensors"):
        tensors, about = read_tensors(path)
        del about["initial"]
        write_tensors(path, tensors, about)


@pytest.mark.parametrize("older", [False, True])
def test_a_run_goes_on_with_the_numbers_that_it_began_with(tmp_path, monkeypatch, older):
    words = [*RUN, f"output_dir={tmp_path}"]
    with interruption(in_iteration=2):
        assert command_line(*words).returncode == 130
    (folder,) = (tmp_path / "runs").iterdir()
    if older:
        forget_how_it_began(folder)
    with monkeypatch.context() as patch:
        patch.setitem(SHIFT, "by", 0.5)
        done = command_line(*words)
    if older:
        assert folder_of(done) == folder
        return
    assert done.returncode == 1
    assert f"{folder}: its model begins with other numbers than this run began with" in done.stderr
    assert "Traceback" not in done.stderr
    assert read_status(folder)["iterations_done"] == 2
    assert folder_of(command_line(*words)) == folder


@pytest.mark.parametrize("buffer", ["true", "false"])
def test_a_model_that_is_another_one_whenever_it_is_built_is_refused(tmp_path, buffer):
    words = [f"model._target_={__name__}.Unseeded", f"+model.buffer={buffer}", f"output_dir={tmp_path / 'out'}"]
    done = command_line(*RUN, *words)
    assert "model=unseeded" in done.stderr
    assert "begins with other numbers whenever it is built: draw them from PyTorch's generator" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "runs").exists()
