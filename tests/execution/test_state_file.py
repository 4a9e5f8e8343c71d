"""Initial states from files: what is taken, and what is refused before it is read."""

import struct
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file, save_model
from torch import nn

from src.errors import UserError
from src.execution.state_file import read_initial_state

LIKE = {"a.weight": torch.zeros(3, 2), "a.bias": torch.zeros(3)}
WEIGHT = np.arange(6, dtype=np.float32).reshape(3, 2)
BIAS = np.array([7, 8, 9], np.float32)


def npz(path, **arrays):
    np.savez(path / "init.npz", **arrays)
    return path / "init.npz"


def safetensors(path, **tensors):
    save_file(tensors, path / "init.safetensors")
    return path / "init.safetensors"


def raw_npz(path, header, content=b"", version=1):
    """A weight of a header made by hand, and a good bias."""
    head = header.encode().ljust(118 if version == 1 else 116) + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(head))
    with zipfile.ZipFile(npz(path, **{"a.bias": BIAS}), "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.weight.npy", b"\x93NUMPY" + bytes([version, 0]) + size + head + content)
    return path / "init.npz"


def refused(path, words):
    with pytest.raises(UserError, match=words) as caught:
        read_initial_state(path, LIKE)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "<i8", "u1"])
def test_arrays_take_their_place_by_shape_and_last_word(tmp_path, dtype):
    state = read_initial_state(npz(tmp_path, bias=BIAS, **{"0.weight": WEIGHT.astype(dtype)}), LIKE)
    assert state["a.weight"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert state["a.bias"].tolist() == [7, 8, 9]
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int32])
def test_tensors_by_name(tmp_path, dtype):
    weight = torch.from_numpy(WEIGHT).to(dtype)
    state = read_initial_state(safetensors(tmp_path, **{"a.weight": weight, "a.bias": torch.ones(3)}), LIKE)
    assert torch.equal(state["a.weight"], torch.from_numpy(WEIGHT))


@pytest.mark.parametrize("kind", ["S4", "U4", "M8[s]", "m8[s]", "c8", "bool", "O", np.longdouble, [("x", "f4")]])
def test_arrays_that_are_no_real_numbers(tmp_path, kind):
    refused(npz(tmp_path, **{"a.weight": np.zeros((3, 2), kind), "a.bias": BIAS}), r"a\.weight.npy is of type .*write")


@pytest.mark.parametrize("dtype", [torch.bool, torch.complex64])
def test_tensors_that_are_no_real_numbers(tmp_path, dtype):
    weight = torch.ones(3, 2, dtype=dtype)
    refused(safetensors(tmp_path, **{"a.weight": weight, "a.bias": torch.ones(3)}), f"a.weight is of type {dtype}")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_not_finite(tmp_path, value):
    weight = WEIGHT.astype(np.float64)
    weight[2, 1] = value
    words = r"a\.weight has values that are NaN, infinite, or too large for torch\.float32\)"
    refused(npz(tmp_path, **{"a.weight": weight, "a.bias": BIAS}), words)
    refused(safetensors(tmp_path, **{"a.weight": torch.from_numpy(weight), "a.bias": torch.ones(3)}), words)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 2)}", "should have 8796093022208 bytes"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3)}", "should have 36 bytes and has 24"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (3, 2)}", "is of type object"),
        ("{'descr': '<f99', 'fortran_order': False, 'shape': (3, 2)}", "cannot be read"),
        ("__import__('os').abort()", "cannot be read"),
        ("(" * 110, "cannot be read"),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_headers(tmp_path, header, words, version):
    refused(raw_npz(tmp_path, header, bytes(24), version), words)


def test_an_unknown_version(tmp_path):
    refused(raw_npz(tmp_path, "{}", version=9), r"version \(9, 0\)")


def test_nothing_is_expanded_that_does_not_fit(tmp_path, monkeypatch):
    path = raw_npz(tmp_path, "{'descr': '|u1', 'fortran_order': False, 'shape': (67108864,)}", bytes(2**26))
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__", None)
    refused(path, r"no array of shape \[3, 2\] is left for a\.weight; the file has a.bias \[3\], a.weight \[67108864\]")


def test_another_models_file(tmp_path):
    refused(npz(tmp_path, weight=WEIGHT, bias=BIAS, more=BIAS), r"no place for more \[3\]")
    weight, bias = torch.ones(3, 2), torch.ones(3)
    refused(safetensors(tmp_path, **{"a.weight": weight}), "a.bias is missing")
    refused(safetensors(tmp_path, **{"a.weight": weight, "a.bias": bias, "b": bias + 1}), "b is not part of the model")
    refused(safetensors(tmp_path, **{"a.weight": weight.T.contiguous(), "a.bias": bias}), r"has shape \[2, 3\]")


class Tied(nn.Module):
    """`first` and `last` share their weight."""

    def __init__(self):
        super().__init__()
        self.first, self.middle, self.last = (nn.Linear(2, 2, bias=False) for _ in range(3))
        self.last.weight = self.first.weight


def tied(path, suffix, **weights):
    """A file of these weights of `Tied`, and the state that is read from it."""
    arrays = {f"{name}.weight": np.full((2, 2), x, np.float32) for name, x in weights.items()}
    path = (
        npz(path, **arrays) if suffix == "npz" else safetensors(path, **{n: torch.tensor(a) for n, a in arrays.items()})
    )
    return {name: int(tensor[0, 0]) for name, tensor in read_initial_state(path, Tied().state_dict()).items()}


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_any_name_of_a_tensor_that_layers_share_is_enough(tmp_path, suffix):
    state = {"first.weight": 1, "middle.weight": 2, "last.weight": 1}
    assert tied(tmp_path, suffix, first=1, middle=2, last=1) == state
    assert tied(tmp_path, suffix, first=1, middle=2) == state
    assert tied(tmp_path, suffix, middle=2, last=1) == state
    with pytest.raises(UserError, match=r"first\.weight and last\.weight are one tensor of the model, and differ"):
        tied(tmp_path, suffix, first=1, middle=2, last=3)
    for lacking in ({"first": 1}, {"first": 1, "last": 1}):
        with pytest.raises(UserError, match=r"middle\.weight is missing"):
            tied(tmp_path, suffix, **lacking)


def test_a_file_of_a_model_whose_layers_share_a_weight(tmp_path):
    assert tied(tmp_path, "npz", a=1, b=2) == {"first.weight": 1, "middle.weight": 2, "last.weight": 1}
    model = Tied()
    save_model(model, tmp_path / "model.safetensors")
    state = read_initial_state(tmp_path / "model.safetensors", Tied().state_dict())
    assert {name: tensor.tolist() for name, tensor in state.items()} == {
        name: tensor.tolist() for name, tensor in model.state_dict().items()
    }


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_what_is_no_such_file(tmp_path, suffix):
    path = tmp_path / f"init.{suffix}"
    refused(path, "there is no such file")
    path.symlink_to("nowhere")
    refused(path, "there is no such file")
    path.unlink()
    np.save(tmp_path / "a.npy", WEIGHT)
    (tmp_path / "a.npy").rename(path)
    refused(path, "cannot be read .*write the file again")
    for content in (b"", b"\xff" * 8, b"\0" * 1000):
        path.write_bytes(content)
        refused(path, "cannot be read")
    refused(tmp_path / ("x" * 300 + f".{suffix}"), "cannot be read .*too long")


def test_another_suffix(tmp_path):
    refused(tmp_path / "init.pt", "the suffix is .pt; allowed are .npz and .safetensors")
    refused(tmp_path / "init", "the suffix is missing")
