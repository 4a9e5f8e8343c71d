"""What a run's network consists of."""

from types import SimpleNamespace

import torch
from torch import nn

from src.execution.initial_state import InitialStates
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.trajectory import Layout
from tests.training.examples import CPU, patterns


def test_buffers_that_a_state_dict_leaves_out_are_no_part_of_a_runs_state():
    states = InitialStates(patterns(), CPU)
    states.model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 10))
    states.model.register_buffer("positions", torch.ones(64), persistent=False)
    run = SimpleNamespace(config=SimpleNamespace(prune=LotteryTicket()))
    assert states.layout(run) == Layout(["2.weight"], ["1.running_mean", "1.running_var", "1.num_batches_tracked"])
