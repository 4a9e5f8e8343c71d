"""Data sets as parts: settings, names, statistics of PROTOCOL 3.2, sizes, and digests of what is read."""

import json
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from src.data.__main__ import NAMES, named
from src.data.dataset import Images
from src.data.digits import Digits
from src.data.published import Cifar10, Mnist
from src.data.source import DataSource
from src.errors import UserError
from tests.data.synthetic import IDX, forget, load_dataset, sha256, write_idx

PROTOCOL = {
    "fashion_mnist": ((0.2860,), (0.3530,), False, False),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010), True, True),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762), True, True),
    "tiny_imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), True, True),
    "mnist": ((0.1307,), (0.3081,), False, False),
    "svhn": ((0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970), False, True),
    "digits": ((0.3052,), (0.3749,), False, False),
}
CONTENT = {
    "fashion_mnist": "3b9c29d3d8153ef8d1e4c8de7efc2b48",
    "mnist": "8be37d1bfe1d09e7e2529f7560d8df91",
    "cifar10": "772868de9da28b05b9c78d8b79440398",
    "digits": "c48dbb0597a91b309a4a6ac140759c02",
}


@dataclass(frozen=True)
class Stripes(DataSource):
    """A data set of one's own: a file of 24 bytes holds six images of 2x2 pixels, the last two for testing."""

    brightness: int = 0

    def files(self, root: Path) -> list[Path]:
        return [root / "stripes"]

    def read(self, root: Path, download: bool) -> Images:
        pixels = torch.tensor(list((root / "stripes").read_bytes()), dtype=torch.uint8) + self.brightness
        images, labels = pixels.view(6, 1, 2, 2), torch.tensor([0, 1, 0, 1, 0, 1])
        return Images(images[:4], labels[:4], images[4:], labels[4:], classes=2)


@pytest.fixture
def stripes(tmp_path):
    (tmp_path / "stripes").write_bytes(bytes(range(24)))
    return Stripes(root=str(tmp_path))


@pytest.mark.parametrize("name", PROTOCOL)
def test_protocol(name):
    source = named(name, "data")
    assert (source.mean, source.std, source.flip, source.crop) == PROTOCOL[name]


def test_true_statistics_differ_only_where_the_reference_is_off():
    sources = [named(name, "data") for name in PROTOCOL]
    assert {s.short for s in sources if s.true_mean or s.true_std} == {"cifar10", "tiny_imagenet"}


def test_true_statistics(monkeypatch, stripes):
    monkeypatch.setattr(Stripes, "mean", (0.5,))
    monkeypatch.setattr(Stripes, "std", (0.25,))
    monkeypatch.setattr(Stripes, "true_std", (0.3,))
    assert (stripes.load().mean, stripes.load().std) == ((0.5,), (0.25,))
    true = replace(stripes, statistics="true").load()
    assert (true.mean, true.std) == ((0.5,), (0.3,))


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ((0.5, 0.5), (0.25,)),
        ((0.5,), (0.25, 0.25, 0.25)),
        ((0.5, 0.5), (0.25, 0.25)),
        ((0.5,), (0.0,)),
        ((0.5,), (-0.25,)),
        ((math.nan,), (0.25,)),
        ((0.5,), (math.inf,)),
        ((None,), (0.25,)),
        (0.5, 0.25),
    ],
)
def test_a_mean_or_deviation_that_images_cannot_be_normalised_with(monkeypatch, stripes, mean, std):
    monkeypatch.setattr(Stripes, "mean", mean)
    monkeypatch.setattr(Stripes, "std", std)
    with pytest.raises(
        UserError, match=r"^dataset=stripes has mean .* and std .*channel, of which .* have 1, .*above 0$"
    ):
        stripes.load()


def test_statistics_of_the_digits(tmp_path):
    data = load_dataset("digits", tmp_path)
    pixels = data.train_images.double() / 255
    assert pixels.mean().item() == pytest.approx(data.mean[0], abs=5e-5)
    assert pixels.std(correction=0).item() == pytest.approx(data.std[0], abs=5e-5)


def test_statistics_that_are_not_given_are_computed_from_all_training_images(stripes):
    for data in (stripes.load(), replace(stripes, train_size=1).load()):
        assert data.mean == pytest.approx((7.5 / 255,))
        assert data.std == pytest.approx(((85 / 4) ** 0.5 / 255,))  # of 0..15


def test_a_channel_of_one_value_is_not_divided_by_zero():
    images = torch.full((3, 1, 2, 2), 51, dtype=torch.uint8)
    assert Images(images, *[torch.zeros(3).long()] * 3, 1).channel_statistics() == ((0.2,), (1.0,))


def test_names():
    assert {named(name, "data").short for name in set(NAMES) - {"folder"}} == set(NAMES) - {"folder"}
    assert replace(Cifar10(), train_size=9, shuffle=False, flip=False, root="x").short == "cifar10"
    assert Stripes(brightness=3, test_size=1).short == "stripes-brightness3"


def test_sizes_take_the_first_images(tmp_path):
    whole, cut = load_dataset("digits", tmp_path), load_dataset("digits", tmp_path, 100, 50)
    assert torch.equal(cut.train_images, whole.train_images[:100])
    assert torch.equal(cut.train_labels, whole.train_labels[:100])
    assert torch.equal(cut.test_images, whole.test_images[:50])
    assert torch.equal(cut.test_labels, whole.test_labels[:50])
    assert cut.train_images.data_ptr() == whole.train_images.data_ptr()


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


def test_sizes_are_checked_with_the_settings():
    with pytest.raises(UserError, match=r"dataset\.test_size=0 is not allowed: .*null for all images, or 1 or more"):
        Digits(test_size=0).check("dataset")


def test_the_root_may_start_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match=f"{tmp_path}/sets/MNIST/raw"):
        load_dataset("mnist", "~/sets", download=False)


def test_to_moves_every_tensor(tmp_path):
    moved = load_dataset("digits", tmp_path).to("meta")
    tensors = (moved.train_images, moved.train_labels, moved.test_images, moved.test_labels)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert moved.image_shape == (1, 8, 8)


def test_the_last_two_data_sets_stay_in_memory(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(Stripes, "read", lambda self, *_, read=Stripes.read: [seen.append(self), read(self, *_)][1])
    seen = read
    (tmp_path / "stripes").write_bytes(bytes(range(24)))
    first, second, third = (Stripes(root=str(tmp_path), brightness=i) for i in range(3))
    for source in (first, second, first, third, replace(first, train_size=2), second):
        source.load()
    assert [source.brightness for source in read] == [0, 1, 2, 1]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"train_images": torch.zeros(4, 1, 2, 2)}, r"training images of torch.float32 .*not uint8 \[N, C, H, W\] .*"),
        (
            {"test_images": torch.zeros(2, 1, 3, 3, dtype=torch.uint8)},
            r"test images .*\(2, 1, 3, 3\), not uint8 .* of one shape",
        ),
        ({"test_labels": torch.tensor([0, 1, 1])}, r"test labels .*not int64 \[2\]"),
        ({"train_labels": torch.tensor([0, 1, 2, 1])}, "training labels 0 to 2, not 0 to 1"),
    ],
)
def test_what_a_data_set_of_ones_own_gives_is_checked(stripes, monkeypatch, changed, words):
    monkeypatch.setattr(Stripes, "read", lambda *_, read=Stripes.read: replace(read(*_), **changed))
    with pytest.raises(UserError, match=rf"dataset=stripes gave {words}: mend Stripes\.read"):
        stripes.load()


@pytest.mark.parametrize("classes", [1, 2.0, np.int64(2), torch.tensor(2), None])
def test_the_number_of_classes_is_a_number(stripes, monkeypatch, classes):
    monkeypatch.setattr(Stripes, "read", lambda *_, read=Stripes.read: replace(read(*_), classes=classes))
    with pytest.raises(UserError, match=r"dataset=stripes gave classes=.*, which is no int of 2 or more"):
        stripes.load()


@pytest.mark.parametrize("gives", [None, (1, 2), []])
def test_a_data_set_of_ones_own_gives_images(stripes, monkeypatch, gives):
    monkeypatch.setattr(Stripes, "read", lambda *_: gives)
    with pytest.raises(UserError, match=rf"dataset=stripes gave a {type(gives).__name__}, not Images: mend Stripes"):
        stripes.load()


@pytest.mark.parametrize("name", CONTENT)
def test_pinned_digests_are_known_without_files(tmp_path, name):
    assert named(name, str(tmp_path)).content_digest() == CONTENT[name]


def test_a_pinned_digest_is_compared_with_what_is_read(tmp_path, monkeypatch):
    write_idx(tmp_path / "MNIST" / "raw")
    monkeypatch.setattr(
        Mnist, "checksums", {f"MNIST/raw/{name}": sha256(tmp_path / "MNIST" / "raw" / name) for name in IDX}
    )
    with pytest.raises(UserError, match=f"dataset=mnist was read with digest .*, expected was {CONTENT['mnist']}"):
        load_dataset("mnist", tmp_path)


def test_what_derives_from_a_pinned_data_set_is_not_pinned(tmp_path):
    assert type("Half", (Digits,), {})(root=str(tmp_path)).content_digest() is None


def test_a_digest_by_hand():
    images, labels = torch.zeros(1, 1, 1, 2, dtype=torch.uint8), torch.tensor([0])
    assert Images(images, labels, images, labels, classes=1).digest == "7ffd04e0caec13376206e1b66aea63bf"


def test_a_digest_is_known_after_the_first_reading_and_kept_for_other_processes(stripes):
    assert stripes.content_digest() is None
    digest = Stripes.read(stripes, stripes.folder, False).digest
    stripes.load()
    assert stripes.content_digest() == replace(stripes, train_size=1, augment=False).content_digest() == digest
    forget()
    assert stripes.content_digest() == digest
    assert [path.name for path in stripes.folder.glob(".*")] == [".stripes.digest.json"]


def test_other_files_settings_or_code_have_another_digest(stripes, monkeypatch):
    stripes.load()
    forget()
    assert replace(stripes, brightness=1).content_digest() is None
    with monkeypatch.context() as patch:
        patch.setattr("src.data.source.code_digest", lambda _: "edited")
        assert stripes.content_digest() is None
    (stripes.folder / "stripes").write_bytes(bytes(range(1, 25)))
    assert stripes.content_digest() is None


def test_the_place_does_not_enter(stripes, tmp_path):
    stripes.load()
    forget()
    other = stripes.folder.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    assert Stripes(root=str(other)).content_digest() is not None


def test_a_change_that_keeps_size_and_time_is_told_once(stripes):
    stripes.load()
    forget()
    path = stripes.folder / "stripes"
    before = path.stat()
    path.write_bytes(bytes(range(1, 25)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(UserError, match=r"dataset=stripes was read with digest .*run the command again"):
        stripes.load()
    forget()
    assert stripes.load().train_images[0, 0, 0, 0] == 1


@pytest.mark.parametrize("content", ["", "[]", '{"files": 3}', "\x00"])
def test_a_damaged_note_is_no_note(stripes, content):
    stripes.load()
    forget()
    note = stripes.folder / ".stripes.digest.json"
    good = json.loads(note.read_text())
    note.write_text(content)
    assert stripes.content_digest() is None
    stripes.load()
    assert json.loads(note.read_text()) == good


def test_a_folder_that_cannot_be_written_has_its_digest_after_reading(stripes, monkeypatch):
    def refuse(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr("src.files.os.replace", refuse)
    stripes.load()
    assert stripes.content_digest() is not None
    forget()
    assert stripes.content_digest() is None
