"""Data sets by name, whole or their first images."""

import pytest
import torch

from src.data import DATASETS, load_dataset
from src.errors import UserError


def test_sizes_take_the_first_images(tmp_path):
    whole, cut = load_dataset("digits", tmp_path), load_dataset("digits", tmp_path, 100, 50)
    assert torch.equal(cut.train_images, whole.train_images[:100])
    assert torch.equal(cut.train_labels, whole.train_labels[:100])
    assert torch.equal(cut.test_images, whole.test_images[:50])
    assert torch.equal(cut.test_labels, whole.test_labels[:50])


def test_sizes_may_be_all_there_is(tmp_path):
    data = load_dataset("digits", tmp_path, 1500, 297)
    assert (len(data.train_labels), len(data.test_labels)) == (1500, 297)


@pytest.mark.parametrize(
    ("sizes", "key", "available"),
    [((0, None), "train_size=0", 1500), ((1501, 1), "train_size=1501", 1500), ((1, 298), "test_size=298", 297)],
)
def test_impossible_sizes(tmp_path, sizes, key, available):
    with pytest.raises(UserError, match=rf"dataset\.{key} .*digits has {available} .*1 to {available}, or null"):
        load_dataset("digits", tmp_path, *sizes)


def test_an_unknown_name_lists_the_known(tmp_path):
    with pytest.raises(UserError, match=f"dataset=imagenet is not known.*{', '.join(DATASETS)}"):
        load_dataset("imagenet", tmp_path)


def test_the_root_may_start_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match=f"{tmp_path}/sets/MNIST/raw"):
        load_dataset("mnist", "~/sets", download=False)


def test_to_moves_every_tensor(tmp_path):
    moved = load_dataset("digits", tmp_path).to("meta")
    tensors = (moved.train_images, moved.train_labels, moved.test_images, moved.test_labels)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert moved.image_shape == (1, 8, 8)
