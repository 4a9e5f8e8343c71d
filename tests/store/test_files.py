"""Files are there whole or not at all."""

import os
import stat

import pytest
import torch

from src.store.files import csv_text, parsed, read_rows, replace, write_text
from src.store.tensors import read_tensors, write_tensors


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def broken(part):
        part.write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        replace(path, broken)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_rows_come_back_with_their_types(tmp_path):
    rows = [{"iteration": 0, "loss": 0.1 + 0.2, "layer": "fc", "pqi": None}]
    write_text(tmp_path / "r.csv", csv_text(rows, header=True))
    assert [parsed(row) for row in read_rows(tmp_path / "r.csv")] == rows
    assert read_rows(tmp_path / "none.csv") == []


def test_tensors_come_back_and_equal_ones_are_bytewise_equal(tmp_path):
    tensors = {"w": torch.randn(3, 4), "mask": torch.tensor([True, False])}
    for name in ("a", "b"):
        write_tensors(tmp_path / name, tensors, {"iteration": 3, "layers": ["fc"]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    found, metadata = read_tensors(tmp_path / "a")
    assert metadata == {"iteration": 3, "layers": ["fc"]}
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def test_a_damaged_file_is_named(tmp_path):
    write_tensors(tmp_path / "t", {"w": torch.zeros(100)})
    (tmp_path / "t").write_bytes((tmp_path / "t").read_bytes()[:50])
    with pytest.raises(OSError, match="damaged"):
        read_tensors(tmp_path / "t")


def test_tensor_files_honour_the_umask(tmp_path):
    before = os.umask(0o022)
    try:
        write_tensors(tmp_path / "t", {"w": torch.zeros(1)})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o644
