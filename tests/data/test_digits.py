"""scikit-learn's digits, which need no file."""

import gzip
from importlib.machinery import ModuleSpec

import pytest
import torch

from src.data import digits
from src.errors import UserError
from tests.data.synthetic import load_dataset

FILE = "datasets/data/digits.csv.gz"


def test_the_first_images_by_hand(tmp_path):
    data = load_dataset("digits", tmp_path / "root")
    assert data.train_images.shape == (1500, 1, 8, 8)
    assert (data.train_images.dtype, data.train_labels.dtype) == (torch.uint8, torch.int64)
    assert data.train_images[0, 0, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]  # 0 0 5 13 9 1 0 0 sixteenths
    assert data.train_labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert (len(data.train_labels), len(data.test_labels), data.classes) == (1500, 297, 10)
    assert (data.train_images.min(), data.train_images.max()) == (0, 255)


def test_without_scikit_learn(tmp_path, monkeypatch):
    monkeypatch.setattr(digits.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match="pip install scikit-learn"):
        load_dataset("digits", tmp_path)


@pytest.mark.parametrize("content", [None, b"no gzip", gzip.compress(b"1,2\n"), gzip.compress(b"x\n")])
def test_a_damaged_file_of_the_package(tmp_path, monkeypatch, content):
    package = ModuleSpec("sklearn", None, is_package=True)
    package.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(digits.importlib.util, "find_spec", lambda _: package)
    if content is not None:
        (tmp_path / "datasets" / "data").mkdir(parents=True)
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(UserError, match=rf"{tmp_path / FILE} cannot be read .*reinstall scikit-learn"):
        load_dataset("digits", tmp_path)
