"""CIFAR-10 and CIFAR-100: batches, the archive, or a message."""

import pickle

import numpy as np
import pytest
import torch

from src.data.published import Cifar10, Cifar100
from src.errors import UserError
from tests.data.synthetic import load_dataset, md5, pack_tar, write_cifar

SOURCES = {"cifar10": Cifar10, "cifar100": Cifar100}
FILES = {
    "cifar10": {**{f"data_batch_{i}": 2 + i for i in range(1, 6)}, "test_batch": 4},
    "cifar100": {"train": 8, "test": 3},
}


@pytest.fixture(params=FILES)
def small(request, tmp_path, monkeypatch):
    """A data set's name, its folder and batches, with the checksums of small files in place of the published."""
    name = request.param
    source = SOURCES[name]
    folder = tmp_path / "made" / next(iter(source.checksums)).split("/")[0]
    batches = write_cifar(folder, FILES[name], source.labels)
    monkeypatch.setattr(source, "checksums", {f"{folder.name}/{file}": md5(folder / file) for file in FILES[name]})
    monkeypatch.setattr(source, "content", None)
    return name, folder, batches


def assert_read(data, batches):
    *train, test = batches.values()
    label = SOURCES[data.name].labels
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


def pack(small, root, monkeypatch):
    """The archive of the batches, published as such; its path."""
    name, folder, _ = small
    (archive,) = SOURCES[name].archives
    root.mkdir()
    pack_tar(folder, root / archive.path)
    monkeypatch.setattr(SOURCES[name], "archives", [archive._replace(md5=md5(root / archive.path))])
    return root / archive.path


def test_batches_of_the_root(small):
    name, folder, batches = small
    assert_read(load_dataset(name, folder.parent), batches)


def test_the_archive_in_the_root(small, tmp_path, monkeypatch):
    name, _, batches = small
    pack(small, tmp_path / "root", monkeypatch)
    assert_read(load_dataset(name, tmp_path / "root", download=False), batches)


def test_a_damaged_batch(small):
    name, folder, _ = small
    path = folder / list(FILES[name])[-1]
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(UserError, match=rf"{path} is damaged .*delete it"):
        load_dataset(name, folder.parent)


def test_a_damaged_archive_is_not_used(small, tmp_path, monkeypatch):
    name, _, _ = small
    path = pack(small, tmp_path / "root", monkeypatch)
    path.write_bytes(path.read_bytes()[:-1])
    message = rf"dataset={name}: .*could not be fetched: .*{path} is there, and is another file"
    for download in (True, False):
        with pytest.raises(UserError, match=message):
            load_dataset(name, tmp_path / "root", download=download)
    assert list((tmp_path / "root").iterdir()) == [path]


def test_only_published_files_are_unpickled(tmp_path):
    folder = tmp_path / "cifar-100-python"
    write_cifar(folder, FILES["cifar100"], "fine_labels")
    (folder / "train").write_bytes(pickle.dumps({"data": 1}))
    with pytest.raises(UserError, match="is damaged or not the published file"):
        load_dataset("cifar100", tmp_path)


@pytest.mark.parametrize("download", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_no_files_and_no_network(tmp_path, name, download):
    with pytest.raises(UserError, match=rf"dataset={name}: .* more files missing.*put cifar-100?-python.tar.gz \(MD5 "):
        load_dataset(name, tmp_path / "root", download=download)
    assert not list(tmp_path.iterdir())
