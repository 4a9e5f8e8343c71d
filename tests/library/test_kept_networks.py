"""The networks that a run keeps, and what is exported of them."""

import csv

import pytest
import torch
from torch import tensor

from src import export
from src.data.digits import Digits
from src.errors import UserError
from src.library.compressed import compress, decompress
from src.models.model import build_model
from src.models.plain import Mlp
from src.records.networks import kept_iterations, load_network, read_network
from tests.support import command_line, folder_of


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    words = ["model=mlp", "dataset=digits", "trainer=smoke", "prune=lottery_ticket", "prune.ratio=0.9"]
    words += [
        "prune.iterations=2",
        "dataset.test_size=null",
        "record.picture=false",
        f"output_dir={tmp_path_factory.mktemp('kept')}",
    ]
    return folder_of(command_line(*words))


def accuracies(run):
    return [float(row["retrained_accuracy"]) for row in csv.DictReader((run / "iterations.csv").open())]


@pytest.mark.parametrize(
    ("accuracy", "kept"),
    [([90, 91, 89.5, 60, 89, 50, 10], {4, 6}), ([90, 80], {0, 1}), ([90, 90], {1}), ([90], {0})],
)
def test_the_last_network_and_the_sparsest_good_one_are_kept(accuracy, kept):
    assert kept_iterations(accuracy) == kept


def test_a_kept_network_has_the_accuracy_of_the_tables(run):
    data = Digits().load()
    images = (data.test_images.float() / 255 - tensor(data.mean).view(1, -1, 1, 1)) / tensor(data.std).view(1, -1, 1, 1)
    for t in sorted(kept_iterations(accuracies(run))):
        network = build_model(Mlp(), (1, 8, 8), 10, seed=1)
        masks = load_network(run, network, t)
        assert masks.alive <= masks.total * 0.1**t + 1
        right = network.eval()(images).argmax(1) == data.test_labels
        assert 100 * right.double().mean().item() == pytest.approx(accuracies(run)[t], abs=1e-6)


@pytest.mark.parametrize("form", ["dense", "compressed"])
def test_an_export_is_the_network(run, tmp_path, capsys, form):
    assert export.main([str(run), f"format={form}", f"output={tmp_path / 'network.safetensors'}"]) == 0
    _, state = read_network(run)
    again = export.read_export(tmp_path / "network.safetensors")
    assert set(again) == set(state)
    assert all(torch.equal(again[name], tensor) for name, tensor in state.items())
    size = (tmp_path / "network.safetensors").stat().st_size
    dense = sum(t.numel() * t.element_size() for t in state.values())
    assert (size > dense) == (form == "dense")
    assert size < dense / 10 or form == "dense"
    assert f"{size:,} as a {form} file" in capsys.readouterr().out


def test_what_is_smaller_is_chosen():
    state = {
        "bitmap": tensor([[1.0, 0], [0, -2]] * 64),
        "csr": torch.zeros(8, 4096).index_put_((tensor([3, 3, 5]), tensor([7, 4095, 0])), tensor([1.0, -0.0, 5])),
        "dense": torch.ones(3, 3),
        "conv": torch.zeros(4, 3, 3, 3).index_fill_(0, tensor([2]), 1),
        "steps": tensor(3),
    }
    tensors, shapes = compress(state)
    assert set(shapes) == {"bitmap", "csr", "conv"}
    assert {"bitmap:bitmap", "csr:columns", "csr:rows"} <= set(tensors)
    again = decompress(tensors, shapes)
    assert all(torch.equal(again[name], tensor) for name, tensor in state.items())
    sizes = {name: content.numel() * content.element_size() for name, content in tensors.items()}
    assert sum(sizes[f"csr{part}"] for part in (":columns", ":rows", ":values")) == 2 * 2 + 9 * 4 + 2 * 4


def test_bad_input_has_one_message(run, tmp_path):
    with pytest.raises(UserError, match=r"keeps no network of iteration 9, but of \d"):
        read_network(run, 9)
    with pytest.raises(UserError, match="keeps no networks"):
        read_network(tmp_path)
    with pytest.raises(UserError, match="is of another architecture"):
        load_network(run, torch.nn.Linear(2, 2))
    with pytest.raises(UserError, match="name the run's folder"):
        export.main([])
