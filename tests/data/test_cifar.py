"""CIFAR-10 and CIFAR-100: batches, the archive, or a message."""

import pickle

import numpy as np
import pytest
import torch

from src.data import load_dataset
from src.errors import UserError
from tests.data.synthetic import md5, pack_tar, write_cifar

FILES = {
    "cifar10": {**{f"data_batch_{i}": 2 + i for i in range(1, 6)}, "test_batch": 4},
    "cifar100": {"train": 8, "test": 3},
}
LABELS = {"cifar10": "labels", "cifar100": "fine_labels"}


@pytest.fixture(params=FILES)
def small(request, tmp_path, monkeypatch):
    """A data set's name, its folder and batches, with the checksums of small files in place of the published."""
    from torchvision import datasets

    name = request.param
    source = getattr(datasets, name.upper())
    folder = tmp_path / "made" / source.base_folder
    batches = write_cifar(folder, FILES[name], LABELS[name])
    meta = {source.meta["key"]: [str(i) for i in range(10)]}
    (folder / source.meta["filename"]).write_bytes(pickle.dumps(meta))
    listed = [[file, md5(folder / file)] for file in FILES[name]]
    monkeypatch.setattr(source, "train_list", listed[:-1])
    monkeypatch.setattr(source, "test_list", listed[-1:])
    monkeypatch.setattr(source, "meta", {**source.meta, "md5": md5(folder / source.meta["filename"])})
    return name, folder, batches


def assert_read(data, batches):
    *train, test = batches.values()
    label = LABELS[data.name]
    for images, labels, parts in (
        (data.train_images, data.train_labels, train),
        (data.test_images, data.test_labels, [test]),
    ):
        assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
        expected = np.concatenate([part["data"] for part in parts]).reshape(-1, 3, 32, 32)
        np.testing.assert_array_equal(images.numpy(), expected)
        assert labels.tolist() == [y for part in parts for y in part[label]]
    assert data.classes == {"cifar10": 10, "cifar100": 100}[data.name]
    assert data.train_images.is_contiguous()


def test_batches_of_the_root(small):
    name, folder, batches = small
    assert_read(load_dataset(name, folder.parent), batches)


def test_the_archive_in_the_root(small, tmp_path, monkeypatch):
    from torchvision import datasets

    name, folder, batches = small
    source = getattr(datasets, name.upper())
    (tmp_path / "root").mkdir()
    pack_tar(folder, tmp_path / "root" / source.filename)
    monkeypatch.setattr(source, "tgz_md5", md5(tmp_path / "root" / source.filename))
    assert_read(load_dataset(name, tmp_path / "root", download=False), batches)


def test_a_damaged_batch(small):
    name, folder, _ = small
    path = folder / list(FILES[name])[-1]
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(UserError, match=rf"{path} is damaged .*delete it"):
        load_dataset(name, folder.parent)


def test_a_damaged_archive_is_not_used(small, tmp_path):
    from torchvision import datasets

    name, folder, _ = small
    root = tmp_path / "root"
    root.mkdir()
    pack_tar(folder, root / getattr(datasets, name.upper()).filename)
    with pytest.raises(UserError, match=rf"dataset={name}: .*could not be fetched"):
        load_dataset(name, root)
    assert len(list(root.iterdir())) == 1


@pytest.mark.parametrize("download", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_no_files_and_no_network(tmp_path, name, download):
    with pytest.raises(UserError, match=rf"dataset={name}: .* more files missing.*put cifar-100?-python.tar.gz \(MD5 "):
        load_dataset(name, tmp_path / "root", download=download)
    assert not list(tmp_path.iterdir())
