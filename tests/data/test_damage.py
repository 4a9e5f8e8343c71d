"""Damaged input files: a sample of what tests/data/fuzz.py does, and such as chance does not make."""

import os
import pickle
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from src.data.folder import Folder
from src.data.published import Cifar100
from src.data.tiny_imagenet import DECODED, FOLDER, TinyImagenet
from src.errors import UserError
from tests.data.fuzz import attempt, damaged, kinds
from tests.data.synthetic import forget, load_dataset, picture, small_dataset, write_cifar, write_tiny_imagenet

SAMPLE = 12


def test_damaged_files_are_refused_in_one_line_or_read(tmp_path):
    with kinds(tmp_path) as found:
        for seed, kind in enumerate(found.values()):
            content, rng = kind.path.read_bytes(), np.random.default_rng(seed)
            good = {name: tensor.clone() for name, tensor in kind.read().items()}
            for _ in range(SAMPLE):
                assert attempt(kind, damaged(content, rng), good) != "refused in several lines"


@pytest.fixture
def pets(tmp_path):
    for name in ("train/cat", "train/dog", "test/cat"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "0.png").write_bytes(picture((1, 2, 3), 8))
    return tmp_path


def bomb(side):
    """The head of a PNG image that would have side x side pixels."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(bytes(1000)))
    parts = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bomb(10**5), "could be decompression bomb"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n", "cannot identify"),
        (b"GIF89a", "cannot identify"),
        (b"", "cannot identify"),
    ],
)
def test_what_is_no_picture(pets, content, words):
    (pets / "train/cat/1.png").write_bytes(content)
    with pytest.raises(UserError, match=rf"train/cat/1.png cannot be decoded .*{words}"):
        Folder(root=str(pets)).load()


def test_what_is_no_file_is_not_opened(pets):
    os.mkfifo(pets / "train/cat/1.png")
    with pytest.raises(UserError, match=r"1\.png cannot be decoded \(it is no file\)"):
        Folder(root=str(pets)).load()


def test_a_file_larger_than_memory(pets):
    with (pets / "train/cat/1.png").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(UserError, match=r"1\.png cannot be decoded \(cannot identify"):
        Folder(root=str(pets)).load()


def test_a_link_that_leads_back(pets):
    (pets / "train/cat/up").symlink_to("..")
    with pytest.raises(UserError, match=r"train/cat/up/cat is a link to a folder that .*/train/cat holds already"):
        Folder(root=str(pets)).load()


def test_a_copy_of_another_shape_is_made_again(tmp_path):
    from src.data.decoded import keep

    write_tiny_imagenet(tmp_path / FOLDER)
    load_dataset("tiny_imagenet", tmp_path)
    (tmp_path / FOLDER).rename(tmp_path / "elsewhere")
    small = small_dataset(side=32)
    keep(tmp_path / DECODED, "", replace(small, test_images=small.test_images.clone()))
    forget()
    with pytest.raises(UserError, match="missing"):
        load_dataset("tiny_imagenet", tmp_path, download=False)
    (tmp_path / "elsewhere").rename(tmp_path / FOLDER)
    assert TinyImagenet(root=str(tmp_path)).load().image_shape == (3, 64, 64)


def test_pickles_that_are_not_the_published_ones_are_not_opened(tmp_path):
    class Attack:
        def __reduce__(self):
            return (tmp_path / "executed").touch, ()

    write_cifar(tmp_path / "cifar-100-python", {"train": 8, "test": 3}, "fine_labels")
    (tmp_path / "cifar-100-python/train").write_bytes(pickle.dumps(Attack()))
    with pytest.raises(UserError, match="is damaged or not the published file"):
        Cifar100(root=str(tmp_path)).load()
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["mnist", "cifar10", "svhn", "tiny_imagenet", "folder"])
def test_a_root_that_is_no_folder(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for root in ("file", "file/below", "dangling", "dangling/below", "loop", "x" * 300):
        words = rf"dataset\.root={tmp_path / root} (is no folder|cannot be (read|written) .*choose another folder)"
        with pytest.raises(UserError, match=words):
            load_dataset(name, tmp_path / root, download=False)


@pytest.mark.parametrize("name", ["mnist", "svhn", "tiny_imagenet", "folder"])
def test_a_root_that_cannot_be_read(tmp_path, name, monkeypatch):
    stat = os.stat

    def refuse(path, *rest, **more):
        if str(path).startswith(str(tmp_path / "locked")):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, *rest, **more)

    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(UserError, match=rf"dataset\.root={tmp_path}/locked cannot be read .*Permission denied"):
        load_dataset(name, tmp_path / "locked", download=False)


def test_a_root_with_nul():
    with pytest.raises(UserError, match=r"dataset\.root='a\\x00b' is not allowed: .*without NUL"):
        Folder(root="a\0b").check("dataset")
