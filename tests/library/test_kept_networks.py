"""The networks that a run keeps, and what is exported of them."""

import csv
import json
import shutil
import sys

import pytest
import torch
from torch import tensor

from src import export
from src.data.digits import Digits
from src.errors import UserError
from src.library.command import main as measure
from src.library.compressed import compress, decompress
from src.library.masks import Masks
from src.library.safetensors import write_safetensors
from src.models.model import build_model
from src.models.plain import Mlp
from src.records.networks import load_network, read_network
from src.records.objective import kept_iterations
from src.store.tensors import write_tensors
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


DATA = Digits().load()


def images():
    """Test images as a network takes them."""
    mean, std = (tensor(values).view(1, -1, 1, 1) for values in (DATA.mean, DATA.std))
    return (DATA.test_images.float() / 255 - mean) / std


def accuracies(run):
    return [float(row["retrained_accuracy"]) for row in csv.DictReader((run / "iterations.csv").open())]


@pytest.mark.parametrize(
    ("accuracy", "kept"),
    [([90, 91, 89.5, 60, 89, 50, 10], {4, 6}), ([90, 80], {0, 1}), ([90, 90], {1}), ([90], {0})],
)
def test_the_last_network_and_the_sparsest_good_one_are_kept(accuracy, kept):
    assert kept_iterations(accuracy) == kept


def test_an_export_that_cannot_be_written_names_its_own_key(run, tmp_path):
    with pytest.raises(UserError, match=r"output=FILE writes elsewhere"):
        export.main([str(run), "--output", str(tmp_path)])


def test_a_kept_network_has_the_accuracy_of_the_tables(run):
    for t in sorted(kept_iterations(accuracies(run))):
        network, masks = load_network(run, t)
        assert masks.alive <= masks.total * 0.1**t + 1
        right = network(images()).argmax(1) == DATA.test_labels
        assert 100 * right.double().mean().item() == pytest.approx(accuracies(run)[t], abs=1e-6)


def test_a_network_of_ones_own_is_filled(run):
    own = build_model(Mlp(), (1, 8, 8), 10, seed=1)
    network, masks = load_network(run, network=own)
    assert network is own
    assert masks.alive == Masks.of_zeros(own).alive < masks.total / 50


def test_a_class_that_only_a_file_names_is_not_imported(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    set_in(copy, files={})
    text = (copy / "config.yaml").read_text()
    (copy / "config.yaml").write_text(text.replace("src.models.plain.Mlp", "antigravity.Mlp"))
    with pytest.raises(UserError, match=r"antigravity\.Mlp, is none of this repository's.*network=\.\.\."):
        load_network(copy)
    with pytest.raises(
        UserError, match=r"load_network\(RUN, network=\.\.\.\), and give it to src\.export\.write_onnx$"
    ):
        export.main([str(copy), "format=onnx"])
    assert "antigravity" not in sys.modules
    (copy / "config.yaml").write_text(text.replace("- 128", "- -128"))
    with pytest.raises(UserError, match=r"model\.hidden"):
        load_network(copy)


@pytest.mark.parametrize("masks", ["full", "none"])
def test_masks_are_of_what_the_run_prunes(tmp_path, masks):
    words = ["model=mlp", "dataset=digits", "trainer=smoke", "prune=lottery_ticket", "prune.exclude=[linear.*]"]
    words += ["prune.iterations=2", "record.picture=false", f"record.masks={masks}", f"output_dir={tmp_path}"]
    folder = folder_of(command_line(*words))
    found = load_network(folder)[1]
    last = list(csv.DictReader((folder / "iterations.csv").open()))[-1]
    assert (found.alive, found.total) == (int(last["remaining"]), int(last["total"]))
    assert list(found) == ["blocks.0.weight", "blocks.2.weight"]


def test_masks_are_those_recorded_where_a_weight_that_is_alive_is_zero(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    _, before = load_network(copy)
    tensors = {name: torch.zeros_like(tensor) for name, tensor in read_network(copy)[1].items()}
    write_tensors(
        copy / "networks.safetensors", {f"iteration_2/{name}": tensor for name, tensor in tensors.items()}, {}
    )
    network, masks = load_network(copy)
    assert not any(weight.any() for weight in network.parameters())
    assert masks == before


def set_in(folder, **values):
    """Edits run.json as its owner may; returns what it was."""
    state = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**state, **values, "sha256": None}))
    return state


def test_older_records_say_nothing_of_their_images(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    assert set_in(copy, network=None)["network"] == {"image_shape": [1, 8, 8], "classes": 10, "parameters": 43914}
    with pytest.raises(
        UserError, match=r"does not tell of the images; build it .*give load_network\(\.\.\., network=\.\.\.\)"
    ):
        load_network(copy)
    assert load_network(copy, network=build_model(Mlp(), (1, 8, 8), 10, seed=1))[1].alive < 1000


def test_onnx_without_its_packages(run, monkeypatch):
    monkeypatch.setattr(export, "find_spec", lambda _: None)
    with pytest.raises(UserError, match="format=onnx needs onnx and onnxscript: pip install onnx onnxscript"):
        export.main([str(run), "--format", "onnx"])


def test_onnx_gives_the_accuracy_of_the_tables(run, tmp_path):
    for name in ("onnx", "onnxscript"):
        pytest.importorskip(name)
    onnxruntime = pytest.importorskip("onnxruntime")
    path = tmp_path / "network.onnx"
    assert export.main([str(run), "--format=onnx", "--output", str(path)]) == 0
    assert [file.name for file in tmp_path.iterdir()] == ["network.onnx"]
    (logits,) = onnxruntime.InferenceSession(path).run(["logits"], {"images": images().numpy()})
    right = torch.from_numpy(logits).argmax(1) == DATA.test_labels
    assert 100 * right.double().mean().item() == pytest.approx(accuracies(run)[-1], abs=1e-6)
    assert torch.allclose(torch.from_numpy(logits), load_network(run)[0](images()), atol=1e-5)


@pytest.mark.parametrize("form", ["dense", "compressed"])
@pytest.mark.parametrize("words", [lambda *w: w, lambda *w: [part for x in w for part in f"--{x}".split("=", 1)]])
def test_an_export_is_the_network(run, tmp_path, capsys, form, words):
    assert export.main([str(run), *words(f"format={form}", f"output={tmp_path / 'network.safetensors'}")]) == 0
    _, state = read_network(run)
    again = export.read_export(tmp_path / "network.safetensors")
    assert set(again) == set(state)
    assert all(torch.equal(again[name], tensor) for name, tensor in state.items())
    size = (tmp_path / "network.safetensors").stat().st_size
    dense = sum(t.numel() * t.element_size() for t in state.values())
    assert (size > dense) == (form == "dense")
    assert size < dense / 10 or form == "dense"
    assert f"{size:,} as a {form} file" in capsys.readouterr().out


def test_what_is_measured_of_an_export_is_the_network(run, tmp_path, capsys):
    tables = []
    for form in ("dense", "compressed"):
        export.main([str(run), f"format={form}", f"output={tmp_path / form}.safetensors"])
        capsys.readouterr()
        assert measure([f"{tmp_path / form}.safetensors", "--scope", "neuron", "--csv"]) == 0
        tables.append(sorted(capsys.readouterr().out.splitlines()))
    assert tables[0] == tables[1]
    assert len(tables[0]) == 5
    assert "blocks.0.weight,128x64,8192," in tables[0][1]
    tensors, _ = compress(read_network(run)[1])
    for shapes in ("[", "[]", '{"blocks.0.weight": ["a"]}'):
        write_safetensors(tensors, tmp_path / "bad.safetensors", {"shapes": shapes})
        assert measure([str(tmp_path / "bad.safetensors")]) == 1
        assert capsys.readouterr().err.endswith("export it again\n")


def test_networks_of_several_iterations_are_not_measured_as_one(run, tmp_path, capsys):
    assert measure([str(run / "networks.safetensors")]) == 1
    assert "measure what `python -m src.export RUN --iteration N` writes" in capsys.readouterr().err
    weights = {f"iteration_{t}/fc.weight": torch.ones(2, 2) for t in (0, 1)}
    write_tensors(tmp_path / "weights.safetensors", weights)
    assert measure([str(tmp_path / "weights.safetensors")]) == 1
    assert "error: iteration_0/, iteration_1/ are networks of their own: measure one" in capsys.readouterr().err
    assert measure([str(tmp_path / "weights.safetensors"), "--include", "iteration_1/*weight", "--csv"]) == 0
    assert "all,,4,0" in capsys.readouterr().out


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
        load_network(run, network=torch.nn.Linear(2, 2))
    with pytest.raises(UserError, match="name the run's folder"):
        export.main([])


def test_a_folder_with_an_equals_sign_is_exported(run, tmp_path):
    folder = tmp_path / "k=v"
    shutil.copytree(run, folder)
    assert export.main([str(folder), f"output={tmp_path / 'out.safetensors'}"]) == 0
    assert (tmp_path / "out.safetensors").exists()


def test_a_finished_run_without_networks_is_said_to_be_finished(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder, ignore=shutil.ignore_patterns("networks.safetensors", "weights.safetensors"))
    with pytest.raises(UserError, match="packed without them"):
        read_network(folder)
