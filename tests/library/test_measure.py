"""The command: a table of any checkpoint, and one message for what is none."""

import io
import json
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn, tensor
from torch.nn.utils import parametrizations, prune

from src.library import command
from src.library.safetensors import StoredTensor, stored_tensors, write_safetensors
from tests.support import ROOT

FOUR = tensor([[4.0, 3], [2, 1]])
STATE = {"fc.weight": FOUR, "fc.bias": torch.zeros(2), "steps": tensor([3]), "out.weight": torch.ones(2, 2).half()}


@pytest.fixture
def told(capsys):
    """Output of the command with these words; where it fails, its one message."""

    def tell(*words: object) -> str:
        status = command.main([str(word) for word in words])
        output = capsys.readouterr()
        assert (status == 0) == (output.err == "")
        assert status == 0 or (output.err.startswith("error: ") and output.err.count("\n") == 1 and not output.out)
        return output.out or output.err

    return tell


def written(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def sharded(folder: Path) -> Path:
    folder.mkdir()
    save_file({"fc.weight": FOUR}, folder / "model-1.safetensors")
    save_file({"out.weight": torch.ones(2, 2)}, folder / "model-2.safetensors")
    places = {"fc.weight": "model-1.safetensors", "out.weight": "model-2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder


def test_each_format_gives_the_same_table(tmp_path, told):
    save_file(STATE, tmp_path / "a.safetensors")
    write_safetensors(STATE, tmp_path / "own.safetensors")
    sources = [
        tmp_path / "a.safetensors",
        tmp_path / "own.safetensors",
        written(tmp_path / "state.pt", STATE),
        written(tmp_path / "checkpoint.ckpt", {"epoch": 3, "model": {"state_dict": STATE}, "lr": 0.1}),
        sharded(tmp_path / "folder"),
        tmp_path / "folder" / "model.safetensors.index.json",
    ]
    torch.save(STATE, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    tables = [told(source, "--csv") for source in [*sources, tmp_path / "old.pth"]]
    assert set(tables) == {tables[0]}
    lines = [line.split(",") for line in tables[0].splitlines()]
    assert [line[:4] for line in lines[1:]] == [
        ["fc.weight", "2x2", "4", "0"], ["out.weight", "2x2", "4", "0"], ["all", "", "8", "0"],
    ]  # fmt: skip
    assert [float(value) for value in lines[1][4:]] == pytest.approx([0.055586, 0.25, 0.174258, 4, 0], abs=1e-6)


@pytest.mark.parametrize("length", [0x80, 0x4B50])
def test_a_header_may_begin_like_a_pickle_or_an_archive(tmp_path, told, length):
    text = json.dumps({"a.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode().ljust(length)
    data = bytes(FOUR.numpy().tobytes())
    (tmp_path / "a.safetensors").write_bytes(length.to_bytes(8, "little") + text + data)
    assert "0.0555858" in told(tmp_path / "a.safetensors", "--csv")
    assert (tmp_path / "a.safetensors").read_bytes()[:2] in (b"\x80\0", b"PK")


def test_tied_tensors_count_once(tmp_path, told):
    state = {"embed.weight": FOUR, "head.weight": FOUR, "transposed.weight": FOUR.t()}
    assert "all,,8,0" in told(written(tmp_path / "tied.pt", state), "--csv")


def test_tied_tensors_are_known_by_each_of_their_names(tmp_path, told):
    path = written(tmp_path / "tied.pt", {"embed.weight": FOUR, "head.weight": FOUR, "fc.weight": FOUR.clone()})
    assert [line.split(",")[0] for line in told(path, "--csv").splitlines()] == [
        "name",
        "embed.weight",
        "fc.weight",
        "all",
    ]
    for pattern in ("embed.*", "head.*"):
        assert "all,,4,0" in told(path, "--exclude", pattern, "--csv")


def test_a_tensor_that_lies_in_two_shards_counts_where_the_index_has_it(tmp_path, told):
    folder = sharded(tmp_path / "folder")
    save_file({"out.weight": torch.ones(2, 2), "fc.weight": FOUR}, folder / "model-2.safetensors")
    assert "all,,8,0" in told(folder, "--csv")


def test_the_index_may_name_tied_tensors(tmp_path, told):
    torch.save({"embed.weight": FOUR, "head.weight": FOUR}, tmp_path / "pytorch_model-1.bin")
    places = dict.fromkeys(("embed.weight", "head.weight"), "pytorch_model-1.bin")
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    assert "all,,4,0" in told(tmp_path, "--csv")


def test_what_may_be_a_weight_and_is_left_out_is_told(tmp_path, capsys):
    layers = nn.ModuleDict({"rnn": nn.LSTM(2, 2), "conv": nn.Linear(2, 2), "normed": nn.Linear(2, 2)})
    prune.l1_unstructured(layers["conv"], "weight", 1)
    parametrizations.weight_norm(layers["normed"])
    state = {**layers.state_dict(), "packed.weight": torch.ones(2, 2, dtype=torch.uint8)}
    path = str(written(tmp_path / "a.pt", state))
    assert command.main([path, "--csv"]) == 0
    output = capsys.readouterr()
    assert [line.split(",")[0] for line in output.out.splitlines()[1:]] == [
        "rnn.weight_ih_l0",
        "rnn.weight_hh_l0",
        "all",
    ]
    assert output.err.count("\n") == 1
    assert output.err.startswith(
        "left out: conv.weight_orig, conv.weight_mask, normed.parametrizations.weight.original0"
    )
    assert "--include PATTERN takes what you name; packed.weight: no floating-point" in output.err
    assert command.main([path, "--include", "*weight_orig"]) == 0
    assert capsys.readouterr().err == ""


def test_types_that_pytorch_does_not_have_do_not_keep_others_from_being_read(tmp_path, told):
    kinds = {"F8_E8M0": 4, "F8_E4M3FNUZ": 4, "F8_E5M2FNUZ": 4, "F4": 2, "F6_E2M3": 3}
    header, place = {"a.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}, 16
    for kind, size in kinds.items():
        header[f"{kind}.scale"] = {"dtype": kind, "shape": [4], "data_offsets": [place, place := place + size]}
    text = json.dumps(header).encode()
    data = bytes(FOUR.numpy().tobytes()) + bytes(place - 16)
    (tmp_path / "a.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
    assert "all,,4,0" in told(tmp_path / "a.safetensors", "--csv")
    assert "all,,4,4" in told(tmp_path / "a.safetensors", "--csv", "--include", "F8_E4M3FNUZ*")


def test_json_has_numbers_and_the_grid(tmp_path, told):
    found = json.loads(told(written(tmp_path / "a.pt", STATE), "--grid", "--json", "--p", 0.3, "--q", 1.4))
    assert found["method"]["q"] == 1.4
    assert found["total"]["grid"][2][4] == pytest.approx(found["total"]["pqi"], abs=1e-9)
    assert len(found["layers"]) == 2


def test_scopes(tmp_path, told):
    # r = ceil(d (mean sqrt w)^2 / mean w): of the layer ceil(16 * 0.2121) = 4, of the rows 8 and ceil(8 * 0.4157) = 4
    path = written(tmp_path / "a.pt", {"fc.weight": torch.stack([torch.ones(8), torch.arange(8.0) ** 6])})
    ratios = {scope: json.loads(told(path, "--json", "--scope", scope)) for scope in ("layer", "neuron", "global")}
    assert {scope: table["layers"][0]["ratio"] for scope, table in ratios.items()} == {
        "layer": 0.75, "neuron": 0.25, "global": None,
    }  # fmt: skip
    assert ratios["global"]["total"]["ratio"] == 0.75


def test_a_number_of_a_vector_is_a_neuron_of_one_weight(tmp_path, told):
    path = written(tmp_path / "a.pt", {"fc.weight": FOUR, "fc.bias": tensor([1.0, 2.0]), "scale": tensor(3.0)})
    assert "fc.bias,2,2,0" in told(path, "--include", "*", "--scope", "neuron", "--csv")


def test_json_has_no_bare_nan(tmp_path, told):
    text = told(written(tmp_path / "a.pt", {"a.weight": torch.zeros(2, 2)}), "--grid", "--json")
    assert "NaN" not in text
    assert json.loads(text)["layers"][0]["grid"][0][0] is None


def test_zeros_may_be_pruned_weights(tmp_path, told):
    path = written(tmp_path / "a.pt", {"fc.weight": tensor([[4.0, 3, 0, 0], [2, 1, 0, 0]])})
    dense, sparse = (json.loads(told(path, "--json", *flag))["total"] for flag in ((), ("--ignore-zeros",)))
    assert (dense["zeros"], sparse["zeros"]) == (4, 4)
    assert sparse["pqi"] == pytest.approx(0.055586, abs=1e-6)
    assert dense["pqi"] > 0.5


def test_text_markdown_and_figure(tmp_path, told):
    path = written(tmp_path / "a.pt", STATE)
    assert told(path).splitlines()[1].split() == [
        "fc.weight",
        "2x2",
        "4",
        "0",
        "0.0556",
        "0.2500",
        "0.1743",
        "4",
        "0.0000",
    ]
    assert "| fc.weight | 2x2 | 4 | 0 | 0.0556 |" in told(path, "--markdown")
    told(path, "--grid", "--plot", tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_patterns(tmp_path, told):
    path = written(tmp_path / "a.pt", STATE)
    assert "out.weight" not in told(path, "--exclude", "out.*")
    assert "fc.bias" in told(path, "--include", "fc.*")


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("executed"),))


@pytest.mark.parametrize("protocol", ["pickle", "torch"])
def test_a_hostile_pickle_is_refused_and_nothing_is_executed(tmp_path, monkeypatch, told, protocol):
    monkeypatch.chdir(tmp_path)
    if protocol == "pickle":
        Path("bomb.pt").write_bytes(pickle.dumps({"state_dict": Bomb()}))
    else:
        torch.save({"state_dict": Bomb()}, "bomb.pt")
    assert "is not loaded, as that could run code" in told("bomb.pt")
    assert not Path("executed").exists()
    torch.load("bomb.pt", weights_only=False) if protocol == "torch" else pickle.loads(Path("bomb.pt").read_bytes())
    assert Path("executed").exists(), "the bomb is none"


def test_bad_files(tmp_path, told):
    assert "there is no such file" in told(tmp_path / "none.pt")
    assert "holds none of" in told(tmp_path)
    assert "is not loaded" in told(written(tmp_path / "module.pt", nn.Linear(2, 2)))
    assert "holds no state dict" in told(written(tmp_path / "epoch.pt", {"epoch": 3}))
    (tmp_path / "text.safetensors").write_text("hello, this is no checkpoint")
    assert "is no safetensors file" in told(tmp_path / "text.safetensors")
    save_file(STATE, tmp_path / "cut.safetensors")
    whole = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-3])
    assert "is damaged" in told(tmp_path / "cut.safetensors")
    (tmp_path / "cut.pt").write_bytes(written(tmp_path / "a.pt", STATE).read_bytes()[:-300])
    assert "is damaged" in told(tmp_path / "cut.pt")
    (sharded(tmp_path / "folder") / "model-2.safetensors").unlink()
    assert "model-2.safetensors, which is not there" in told(tmp_path / "folder")
    assert "has no model" in told("torchvision:resnet5")
    assert "there is no such file" in told("~nosuchuser/a.pt")
    assert "File name too long" in told("a" * 300)


@pytest.mark.parametrize("error", [IndexError("x"), struct.error("x"), AssertionError("x"), TypeError("x")])
def test_whatever_a_damaged_file_leads_to_has_one_message(tmp_path, told, monkeypatch, error):
    def load(*_: object, **__: object) -> None:
        raise error

    path = written(tmp_path / "a.pt", STATE)
    monkeypatch.setattr(torch, "load", load)
    assert "is damaged (x)" in told(path)


def test_a_file_that_is_cut_in_the_old_format(tmp_path, told):
    torch.save(STATE, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    whole = (tmp_path / "old.pth").read_bytes()
    for length in range(10, len(whole), 37):
        (tmp_path / "cut.pth").write_bytes(whole[:length])
        assert "cut.pth" in told(tmp_path / "cut.pth")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_has_one_message(tmp_path):
    path = written(tmp_path / "a.pt", STATE)
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "src.measure", str(path)]
        done = subprocess.run(words, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


@pytest.mark.parametrize(
    "header",
    [
        {"a.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 15]}},
        {"a.weight": {"dtype": "F32", "shape": [2, -2], "data_offsets": [0, 16]}},
        {"a.weight": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}},
        {"a.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [-8, 8]}},
        {"a.weight": {"dtype": "X9", "shape": [2, 2], "data_offsets": [0, 16]}},
        {"a.weight": [1, 2]},
        [],
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, told, header):
    text = json.dumps(header).encode()
    (tmp_path / "a.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(16))
    assert "is no safetensors file, or is damaged" in told(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("tensors", "words", "message"),
    [
        ({"a.weight": tensor([[1.0, torch.nan]])}, [], "a.weight holds NaN or infinity"),
        ({"a.weight": torch.zeros(2, 0)}, [], "a.weight is empty, of shape [2, 0]"),
        ({"a.weight": torch.ones(2, 2, dtype=torch.complex64)}, [], "a.weight is complex"),
        ({"a.weight": torch.ones(2, 2, dtype=torch.uint8).view(torch.float4_e2m1fn_x2)}, [], "PyTorch does not read"),
        ({"a.weight": torch.ones(2, 2, dtype=torch.int64)}, [], "no weights to measure among no floating-point"),
        (STATE, ["--p", "1"], "smaller than SAP.q=1"),
        (STATE, ["--p", "-1"], "SAP.p=-1.0 is not allowed"),
        (STATE, ["--exclude", "nothing*"], "pattern 'nothing*' matches none of fc.weight, fc.bias"),
        (STATE, ["--exclude", "*"], "there are no weights to measure"),
        (STATE, ["--plot", "a.doc"], "must end in .png"),
        (STATE, ["--plot", "nowhere/a.png"], "there is no folder nowhere"),
    ],
)
def test_bad_input_has_one_message(tmp_path, told, tensors, words, message):
    assert message in told(written(tmp_path / "a.pt", tensors), *words)


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_tensors_beside_the_state_dict_are_not_taken_for_it(tmp_path, told, key):
    """As the ImageNet example of PyTorch's keeps them."""
    beside = {"epoch": tensor(90), "arch": "resnet18", "best_acc1": tensor(69.7), "rng": torch.get_rng_state()}
    path = written(tmp_path / "a.pt", {**beside, key: STATE})
    assert told(path, "--csv") == told(written(tmp_path / "state.pt", STATE), "--csv")


def test_a_checkpoint_that_holds_itself(tmp_path, told):
    content = {}
    content["model"] = content
    assert "is damaged (maximum recursion depth" in told(written(tmp_path / "a.pt", content))


def test_a_sparse_tensor_is_refused_where_it_is_measured(tmp_path, told):
    path = written(tmp_path / "a.pt", {"a.weight": FOUR, "b.weight": FOUR.to_sparse()})
    assert "b.weight has the layout torch.sparse_coo" in told(path)
    assert "all,,4,0" in told(path, "--exclude", "b.*", "--csv")


def test_a_name_that_the_terminal_cannot_show(tmp_path, monkeypatch):
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", output)
    assert command.main([str(written(tmp_path / "a.pt", {"ü β.weight": FOUR}))]) == 0
    assert rb"\xfc \u03b2.weight" in output.buffer.getvalue()


def test_a_large_tensor_is_read_in_blocks(tmp_path):
    write_safetensors({"a": torch.arange(3_000_000.0), "b": torch.ones(3)}, tmp_path / "a.safetensors")
    stored = stored_tensors(tmp_path / "a.safetensors")[0]
    assert isinstance(stored, StoredTensor)
    sizes = [block.numel() for block in stored.blocks()]
    assert len(sizes) == 3
    assert max(sizes) == 2**20
    assert torch.equal(torch.cat([block.clone() for block in stored.blocks()]), torch.arange(3_000_000.0))
