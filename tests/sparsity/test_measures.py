"""The one-pass grid against the plain definitions, for neurons, layers and the network."""

import dataclasses

import pytest
import torch
from torch import Tensor

from src.errors import UserError
from src.sparsity import P_GRID, Q_GRID, gini_index, grid_index, measure, pq_index

Network = tuple[dict[str, Tensor], dict[str, Tensor]]


@pytest.fixture(scope="module")
def network() -> Network:
    """Four layers, with empty, all-zero and one-weight neurons, an empty layer and one of several blocks."""
    generator = torch.Generator().manual_seed(0)
    shapes = {"conv": (6, 3, 3, 3), "linear": (70, 1000), "empty": (4, 5), "tiny": (3, 8)}
    scales = {"conv": 1e-12, "linear": 1.0, "empty": 1.0, "tiny": 1e12}
    weights = {name: torch.randn(s, generator=generator) * scales[name] for name, s in shapes.items()}
    masks = {name: torch.rand(s, generator=generator) < 0.6 for name, s in shapes.items()}
    masks["empty"][:] = False
    masks["conv"][2] = False
    masks["linear"][5] = False
    masks["linear"][5, 17] = True
    weights["linear"][6] = 0
    masks["linear"][7] = True
    weights["tiny"][0, :4] = 0
    return weights, masks


def close(found: Tensor, expected: Tensor) -> bool:
    return torch.allclose(found, expected, rtol=1e-10, atol=1e-13, equal_nan=True)


def plain_grid(w: Tensor, mask: Tensor, dim: int | None) -> Tensor:
    pairs = [pq_index(w, p, q, mask, dim) for p in P_GRID for q in Q_GRID]
    return torch.stack(pairs, -1).reshape(*pairs[0].shape, 10, 11)


def test_grid_values_are_exact_tenths() -> None:
    assert P_GRID == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    assert Q_GRID == (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0)
    assert grid_index(0.5, 1) == (4, 0)
    assert grid_index(1, 2) == (9, 10)
    with pytest.raises(UserError, match=r"p=0\.55"):
        grid_index(0.55, 1)


def test_pqi_equals_the_definition_for_all_groups(network: Network) -> None:
    weights, masks = network
    found = measure(weights, masks)
    rows = [(w.flatten(1), masks[name].flatten(1)) for name, w in weights.items()]
    assert close(found.pqi_neuron, torch.cat([plain_grid(w, m, 1) for w, m in rows]))
    assert close(found.pqi_layer, torch.stack([plain_grid(w, m, None) for w, m in rows]))
    everything = torch.cat([w.flatten() for w, _ in rows]), torch.cat([m.flatten() for _, m in rows])
    assert close(found.pqi_global, plain_grid(*everything, None))


def test_gini_equals_the_definition_for_all_groups(network: Network) -> None:
    weights, masks = network
    found = measure(weights, masks)
    rows = [(w.flatten(1), masks[name].flatten(1)) for name, w in weights.items()]
    assert close(found.gini_neuron, torch.cat([gini_index(w, m, 1) for w, m in rows]))
    assert close(found.gini_layer, torch.stack([gini_index(w, m) for w, m in rows]))
    everything = torch.cat([w.flatten() for w, _ in rows]), torch.cat([m.flatten() for _, m in rows])
    assert close(found.gini_global, gini_index(*everything))


def test_counts_and_degenerate_groups(network: Network) -> None:
    weights, masks = network
    found = measure(weights, masks)
    assert found.layers == ("conv", "linear", "empty", "tiny")
    assert found.d_neuron.tolist() == [n for mask in masks.values() for n in mask.flatten(1).sum(1).tolist()]
    assert found.d_layer.tolist() == [mask.sum().item() for mask in masks.values()]
    assert found.d_global.item() == found.d_layer.sum().item()
    empty, single, zeros = 2, 6 + 5, 6 + 6
    assert (found.pqi_neuron[[empty, single]] == 0).all()
    assert found.pqi_neuron[zeros].isnan().all()
    assert (found.pqi_layer[2] == 0).all()
    assert found.gini_neuron[empty].isnan()
    assert found.gini_layer[2].isnan()
    assert found.gini_neuron[[single, zeros]].tolist() == pytest.approx([0, 0], abs=1e-14)
    assert not (found.pqi_neuron < 0).any()


def test_without_neurons_the_rest_is_the_same(network: Network) -> None:
    full, part = measure(*network), measure(*network, neurons=False)
    assert part.pqi_neuron.shape == (0, 10, 11)
    assert part.gini_neuron.shape == (0,)
    for field in dataclasses.fields(full):
        if field.name not in ("layers", "pqi_neuron", "gini_neuron"):
            expected = getattr(full, field.name)
            assert torch.equal(getattr(part, field.name).nan_to_num(-1), expected.nan_to_num(-1))


def test_without_gini_the_rest_is_the_same(network: Network) -> None:
    full, part = measure(*network), measure(*network, gini=False)
    for name in ("gini_neuron", "gini_layer", "gini_global"):
        assert getattr(part, name).shape == getattr(full, name).shape
        assert getattr(part, name).isnan().all()
    assert torch.equal(part.pqi_neuron.nan_to_num(-1), full.pqi_neuron.nan_to_num(-1))


def test_weights_are_left_alone_and_need_no_gradient() -> None:
    w = torch.nn.Parameter(torch.randn(3, 4))
    before, mask = w.detach().clone(), torch.ones(3, 4, dtype=torch.bool)
    assert not measure({"w": w}, {"w": mask}).pqi_global.requires_grad
    assert not pq_index(w, 0.5, 1).requires_grad
    assert torch.equal(w, before)


def test_bad_input_is_named() -> None:
    ones = torch.ones(3, 4)
    with pytest.raises(UserError, match="must name the same tensors"):
        measure({"a": ones}, {"b": ones.bool()})
    with pytest.raises(UserError, match="must name the same tensors"):
        measure({}, {})
    with pytest.raises(UserError, match=r"mask of a.*\(3, 4\)"):
        measure({"a": ones}, {"a": ones})
    with pytest.raises(UserError, match="2 or more dimensions"):
        measure({"a": ones[0]}, {"a": ones[0].bool()})
