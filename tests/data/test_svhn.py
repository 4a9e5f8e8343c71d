"""SVHN: its two MATLAB files, or a message."""

import numpy as np
import pytest
import torch
from scipy.io import savemat

from src.data.published import Svhn
from src.errors import UserError
from tests.data.synthetic import load_dataset, md5, pixels


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The root and, by split, images [N, 3, 32, 32] and labels 1..10 as published (10 is the digit 0)."""
    rng = np.random.default_rng(0)
    arrays, checksums = {}, {}
    for split, n in (("train", 12), ("test", 5)):
        arrays[split] = pixels(rng, n, 3, 32, 32), np.arange(10, 10 - n, -1) % 10 + 1
        path = tmp_path / f"{split}_32x32.mat"
        savemat(path, {"X": arrays[split][0].transpose(2, 3, 1, 0), "y": arrays[split][1][:, None].astype(np.uint8)})
        checksums[path.name] = md5(path)
    monkeypatch.setattr(Svhn, "checksums", checksums)
    return tmp_path, arrays


def test_files_of_the_root(small):
    root, arrays = small
    data = load_dataset("svhn", root)
    read = {"train": (data.train_images, data.train_labels), "test": (data.test_images, data.test_labels)}
    for split, (images, labels) in read.items():
        assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
        np.testing.assert_array_equal(images.numpy(), arrays[split][0])
        np.testing.assert_array_equal(labels.numpy(), arrays[split][1] % 10)
    assert set(data.train_labels.tolist()) == set(range(10))
    assert data.classes == 10


def test_a_damaged_file(small):
    root, _ = small
    path = root / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=rf"{path} is damaged .*delete it"):
        load_dataset("svhn", root)


@pytest.mark.parametrize("download", [True, False])
def test_a_missing_file_without_network(small, download):
    root, _ = small
    (root / "test_32x32.mat").unlink()
    with pytest.raises(
        UserError, match=rf"dataset=svhn: {root}/test_32x32.mat missing.*put train_32x32.mat \(MD5 \w+\), test_"
    ):
        load_dataset("svhn", root, download=download)
    assert [path.name for path in root.iterdir()] == ["train_32x32.mat"]
