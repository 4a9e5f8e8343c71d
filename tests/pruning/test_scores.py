"""Scores on networks small enough to do by hand."""

import pytest
import torch
from torch import nn

from src.pruning.gradient_scores import Snip, Synflow
from src.pruning.scores import Magnitude, Random

WEIGHTS = {"w": torch.tensor([[1.0, -3.0], [0.5, 0.0]])}


def network(weight: list[list[float]]) -> nn.Module:
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor(weight))
    return model.eval()


def images(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows).view(len(rows), 1, 1, 2)


def test_magnitude():
    assert Magnitude().of_weights(WEIGHTS, (0, 0))["w"].tolist() == [[1.0, 3.0], [0.5, 0.0]]


def test_random_is_the_same_for_a_seed_and_iteration_and_another_for_others():
    first, again, other = (Random().of_weights(WEIGHTS, draws)["w"] for draws in ((3, 0), (3, 0), (3, 1)))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.dtype == torch.float32


def test_snip_is_weight_times_gradient_of_the_loss():
    """With equal logits, dL/dW = (softmax - onehot) x = ((-1/2), (1/2)) x for the label 0."""
    model = network([[1.0, 1.0], [1.0, 1.0]])
    batches = [(images([2.0, 0.0]), torch.tensor([0])), (images([0.0, 4.0]), torch.tensor([0]))]
    masks = {"1.weight": torch.ones(2, 2, dtype=torch.bool)}
    assert Snip(batches=1).of_network(model, batches, masks)["1.weight"].tolist() == [[1.0, 0.0], [1.0, 0.0]]
    assert Snip(batches=None).of_network(model, batches, masks)["1.weight"].tolist() == [[1.0, 2.0], [1.0, 2.0]]


def test_synflow_is_the_flow_through_a_weight_whatever_its_sign():
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 1, bias=False), nn.ReLU(), nn.Linear(1, 2, bias=False)).eval()
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[1.0, -2.0]]))
        model[3].weight.copy_(torch.tensor([[3.0], [-4.0]]))
    masks = {"1.weight": torch.ones(1, 2, dtype=torch.bool), "3.weight": torch.ones(2, 1, dtype=torch.bool)}
    scores = Synflow().of_network(model, [(images([9.0, 9.0]), torch.tensor([0]))], masks)
    assert scores["1.weight"].tolist() == [[7.0, 14.0]]
    assert scores["3.weight"].tolist() == [[9.0], [12.0]]


@pytest.mark.parametrize("score", [Snip(), Synflow()])
def test_scoring_leaves_the_network_as_it_is(score):
    model = network([[1.0, -1.0], [0.5, 2.0]])
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    score.of_network(model, [(images([1.0, 2.0]), torch.tensor([1]))], {"1.weight": torch.ones(2, 2, dtype=torch.bool)})
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert model[1].weight.grad is None
