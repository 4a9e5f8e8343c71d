"""Sealed tensors: what comes back is what was written, or nothing does."""

import os
import stat

import pytest
import torch
from safetensors.torch import load_file

from src.messages import Epoch, Performance, Trained
from src.store.tensors import join_tensors, read_tensors, stored_bytes, write_tensors
from src.store.trainings import Origin, TrainingStore
from src.training.state import Snapshot, TrainingState

TENSORS = {
    "w": torch.arange(12.0).view(3, 4)[:, :3],
    "mask": torch.tensor([True, False, True]),
    "half": torch.ones(3, dtype=torch.bfloat16),
    "one": torch.tensor(2.5, dtype=torch.float64),
    "none": torch.zeros(0, 3),
}


def test_tensors_come_back_and_equal_ones_are_bytewise_equal(tmp_path):
    for name in ("a", "b"):
        write_tensors(tmp_path / name, TENSORS, {"iteration": 3, "layers": ["fc"]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    found, metadata = read_tensors(tmp_path / "a")
    assert metadata == {"iteration": 3, "layers": ["fc"]}
    for other in (found, load_file(tmp_path / "a")):
        assert other.keys() == TENSORS.keys()
        assert all(torch.equal(other[name], tensor) for name, tensor in TENSORS.items())


def test_no_flipped_bit_and_no_cut_is_believed(tmp_path):
    write_tensors(tmp_path / "t", TENSORS, {"id": "x"})
    content = (tmp_path / "t").read_bytes()
    damaged = [content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :]
               for place in range(len(content))]  # fmt: skip
    for bad in [*damaged, b"", content[: len(content) // 2], bytes(len(content)), content + b"0"]:
        (tmp_path / "t").write_bytes(bad)
        with pytest.raises(OSError, match="t is damaged"):
            read_tensors(tmp_path / "t", id="x")


def test_another_runs_file_is_not_taken(tmp_path):
    write_tensors(tmp_path / "t", TENSORS, {"id": "x", "iteration": 1})
    read_tensors(tmp_path / "t", id="x", iteration=1)
    with pytest.raises(OSError, match="it is not of id x, iteration 2"):
        read_tensors(tmp_path / "t", id="x", iteration=2)


def test_joined_parts_have_their_labels(tmp_path):
    for t in range(2):
        tensors = {
            "m/a": torch.full((3,), t + 0.5, dtype=torch.float64),
            "m/b": torch.full((3,), float(t)),
            "k/c": TENSORS["mask"],
        }
        write_tensors(tmp_path / str(t), tensors, {"m": {"p": [1]}})
    parts = {f"iteration_{t}": tmp_path / str(t) for t in range(2)}
    assert join_tensors(tmp_path / "all", parts, "m", {"id": "x"})
    found, metadata = read_tensors(tmp_path / "all", id="x")
    assert metadata == {"id": "x", "p": [1]}
    assert {name: tensor[0].item() for name, tensor in found.items()} == {
        "iteration_0/a": 0.5, "iteration_0/b": 0.0, "iteration_1/a": 1.5, "iteration_1/b": 1.0,
    }  # fmt: skip
    assert stored_bytes(tmp_path / "all", ["iteration_1/b"]) == [torch.ones(3).numpy().tobytes()]
    assert not join_tensors(tmp_path / "nothing", parts, "z", {})


def test_tensor_files_honour_the_umask(tmp_path):
    before = os.umask(0o022)
    try:
        write_tensors(tmp_path / "t", {"w": torch.zeros(1)})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o644


@pytest.fixture
def store(tmp_path):
    """A finished training `aa`, and the checkpoint of one, `bb`."""
    store = TrainingStore(tmp_path / "trainings", torch.device("cpu"))
    performance = Performance(0.5, 50.0)
    history = [Epoch(0, 0.1, performance, performance, performance)]
    weights = {"w": torch.ones(4), "a": torch.zeros(2)}
    store.save("aa", Trained(weights, weights, 0, history), Origin("spec", 0))
    snapshot = Snapshot(torch.ones(4), {})
    state = TrainingState(snapshot, {"v": torch.ones(4)}, snapshot, 0, 1, history)
    store.save_partials([("bb", state, Origin("spec", 0))])
    return store


def test_a_kept_training_is_read_with_its_names_in_order(store):
    assert list(store.load("aa").last) == ["w", "a"]
    assert store.load_partial("bb").history[0].test.accuracy == 50.0


@pytest.mark.parametrize("what", ["flipped", "another's", "emptied"])
def test_a_damaged_training_is_trained_again(store, what, caplog):
    for path in list(store.root.rglob("*.safetensors")):
        content = bytearray(path.read_bytes())
        content[-3] ^= 16
        other = path.parent.parent / ("cc" + path.name[2:])
        changed = {"flipped": content, "another's": path.read_bytes(), "emptied": b""}[what]
        target = path if what != "another's" else path.parent.parent / "cc" / other.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(changed)
    names = ("cc", "cc") if what == "another's" else ("aa", "bb")
    assert store.load(names[0]) is None
    assert store.load_partial(names[1]) is None
    assert caplog.text.count("is damaged") == 2


def test_what_killed_processes_left_is_removed(store):
    left = store.root / "bb" / ".bb.partial.safetensors.123.part"
    left.write_bytes(b"half")
    store.load_partial("bb")
    assert not left.exists()
