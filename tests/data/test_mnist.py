"""MNIST and Fashion-MNIST: unpacked files, archives, Debian's package, or a message."""

import numpy as np
import pytest
import torch

from src.data import published
from src.data.fetching import Archive
from src.errors import UserError
from tests.data.synthetic import IDX, load_dataset, md5, pack_each, sha256, write_idx

KINDS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}
NOWHERE = "http://nowhere.invalid/x"
SOURCES = {"mnist": published.Mnist, "fashion_mnist": published.FashionMnist}


@pytest.fixture(autouse=True)
def _no_package(monkeypatch, tmp_path):
    monkeypatch.setattr(published, "DEBIAN_PACKAGE", tmp_path / "package")


@pytest.fixture(params=KINDS)
def small(request, tmp_path, monkeypatch):
    """A data set's name, its raw folder and arrays, with the checksums of small files in place of the published."""
    source, folder = SOURCES[request.param], f"{KINDS[request.param]}/raw"
    raw = tmp_path / "made" / folder
    arrays = write_idx(raw)
    pack_each(raw, tmp_path / "packed")
    archives = [Archive(f"{folder}/{n}.gz", md5(tmp_path / "packed" / f"{n}.gz"), (NOWHERE,)) for n in IDX]
    monkeypatch.setattr(source, "checksums", {f"{folder}/{name}": sha256(raw / name) for name in IDX})
    monkeypatch.setattr(source, "archives", archives)
    monkeypatch.setattr(source, "content", None)
    return request.param, raw, arrays


def assert_read(data, arrays):
    for split, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("t10k", data.test_images, data.test_labels),
    ):
        assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
        np.testing.assert_array_equal(images[:, 0].numpy(), arrays[f"{split}-images-idx3-ubyte"])
        np.testing.assert_array_equal(labels.numpy(), arrays[f"{split}-labels-idx1-ubyte"])
    assert data.image_shape == (1, 28, 28)
    assert data.classes == 10


def test_unpacked_files_of_the_root(small):
    name, raw, arrays = small
    assert_read(load_dataset(name, raw.parents[1]), arrays)


def test_archives_of_the_root(small, tmp_path):
    name, raw, arrays = small
    pack_each(raw, tmp_path / "root" / KINDS[name] / "raw")
    assert_read(load_dataset(name, tmp_path / "root"), arrays)
    assert (tmp_path / "root" / KINDS[name] / "raw" / "train-images-idx3-ubyte").is_file()


def test_a_damaged_file(small):
    name, raw, _ = small
    path = raw / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=rf"{path} is damaged .*delete it"):
        load_dataset(name, raw.parents[1])


@pytest.mark.parametrize("download", [True, False])
def test_a_missing_file_without_network(small, download):
    name, raw, _ = small
    (raw / "t10k-labels-idx1-ubyte").unlink()
    before = sorted(raw.parents[1].rglob("*"))
    with pytest.raises(UserError, match=rf"dataset={name}: {raw}/t10k-labels-idx1-ubyte missing.*\.gz.*dataset=digits"):
        load_dataset(name, raw.parents[1], download=download)
    assert sorted(raw.parents[1].rglob("*")) == before


def test_the_published_checksums_refuse_small_files(tmp_path):
    for name, kind in KINDS.items():
        write_idx(tmp_path / kind / "raw")
        with pytest.raises(UserError, match="is damaged or not the published file"):
            load_dataset(name, tmp_path)


@pytest.mark.parametrize("small", ["fashion_mnist"], indirect=True)
class TestDebianPackage:
    def test_it_is_unpacked_into_the_root(self, small, tmp_path):
        name, raw, arrays = small
        pack_each(raw, tmp_path / "package")
        assert_read(load_dataset(name, tmp_path / "root", download=False), arrays)
        unpacked = tmp_path / "root" / "FashionMNIST" / "raw"
        assert sorted(path.name for path in unpacked.iterdir()) == sorted(arrays)

    def test_the_root_comes_first(self, small, tmp_path):
        name, raw, arrays = small
        (tmp_path / "package").mkdir()
        for file in arrays:
            (tmp_path / "package" / f"{file}.gz").write_bytes(b"not used")
        assert_read(load_dataset(name, raw.parents[1]), arrays)

    def test_a_part_of_it_is_not_enough(self, small, tmp_path):
        name, raw, _ = small
        pack_each(raw, tmp_path / "package")
        (tmp_path / "package" / "t10k-labels-idx1-ubyte.gz").unlink()
        with pytest.raises(UserError, match="apt-get install dataset-fashion-mnist"):
            load_dataset(name, tmp_path / "root")

    def test_other_content(self, small, tmp_path):
        name, _, _ = small
        write_idx(tmp_path / "other", train=3)
        pack_each(tmp_path / "other", tmp_path / "package")
        with pytest.raises(UserError, match="as fetched has checksum"):
            load_dataset(name, tmp_path / "root")
        assert not (tmp_path / "root").exists()

    @pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:10] + b"\xff" + b[11:], lambda b: b[1:]])
    def test_a_damaged_archive(self, small, tmp_path, damage):
        name, raw, _ = small
        pack_each(raw, tmp_path / "package")
        path = tmp_path / "package" / "train-images-idx3-ubyte.gz"
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(UserError, match=rf"{path} is damaged .*reinstall the package"):
            load_dataset(name, tmp_path / "root")
        assert not (tmp_path / "root").exists()
