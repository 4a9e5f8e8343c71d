"""A folder of class folders: layouts, resizing, the kept copy, and messages."""

import shutil

import pytest
import torch
from PIL import Image

from src.data.folder import Folder
from src.errors import UserError
from tests.data.synthetic import forget, picture

COPY = ".folder-3x32x32.safetensors"


def put(folder, reds, side=40):
    folder.mkdir(parents=True)
    for i, red in enumerate(reds):
        (folder / f"{i}.png").write_bytes(picture((red, 50, 7), side))


@pytest.fixture
def split(tmp_path):
    """Training and test folders of cats (red 0..9) and dogs (red 100..109)."""
    put(tmp_path / "pets" / "train" / "cats", [0, 1, 2])
    put(tmp_path / "pets" / "train" / "dogs", [100, 101])
    put(tmp_path / "pets" / "test" / "dogs", [109])
    put(tmp_path / "pets" / "test" / "cats", [9])
    return tmp_path / "pets"


@pytest.fixture
def whole(tmp_path):
    """Class folders alone."""
    put(tmp_path / "pets" / "cats", range(10))
    put(tmp_path / "pets" / "dogs", range(100, 105))
    return tmp_path / "pets"


def load(root, **settings):
    forget()
    return Folder(root=str(root), **settings).load()


def reds(images):
    return images[:, 0, 0, 0].tolist()


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_train_and_test_in_rounds_of_one_image_per_class(split):
    data = load(split)
    assert data.image_shape == (3, 32, 32)
    assert (reds(data.train_images), data.train_labels.tolist()) == ([0, 100, 1, 101, 2], [0, 1, 0, 1, 0])
    assert (reds(data.test_images), data.test_labels.tolist()) == ([9, 109], [0, 1])
    assert data.train_images[4, :, 31, 31].tolist() == [2, 50, 7]
    assert (data.classes, data.flip, data.crop, data.name) == (2, True, True, "folder_pets")


def test_val_instead_of_test(split):
    (split / "test").rename(split / "val")
    assert reds(load(split).test_images) == [9, 109]


def test_a_fraction_of_each_class_is_held_out(whole):
    data = load(whole)
    assert torch.bincount(data.test_labels).tolist() == [2, 1]
    assert sorted(reds(data.train_images) + reds(data.test_images)) == [*range(10), *range(100, 105)]
    assert reds(data.test_images) == reds(load(whole).test_images) == [6, 103, 9]
    assert torch.bincount(load(whole, test_fraction=0.5).test_labels).tolist() == [5, 2]
    assert torch.bincount(load(whole, test_fraction=0.01).test_labels).tolist() == [1, 1]
    assert torch.bincount(load(whole, test_fraction=0.99).train_labels).tolist() == [1, 1]


def test_train_alone_is_split_too(whole):
    moved = whole.rename(whole.with_name("train"))
    (whole / "x").mkdir(parents=True)
    moved.rename(whole / "train")
    assert torch.bincount(load(whole).test_labels).tolist() == [2, 1]


def test_resizing_is_antialiased_square_and_only_where_needed(split):
    checkers = Image.new("L", (64, 128))
    checkers.putdata([255 * ((x + y) % 2) for y in range(128) for x in range(64)])
    checkers.save(split / "train" / "cats" / "0.png")
    same = Image.new("L", (32, 32))
    same.putdata([i % 256 for i in range(1024)])
    same.save(split / "train" / "cats" / "1.png")
    data = load(split, channels=1)
    assert data.image_shape == (1, 32, 32)
    assert set(data.train_images[0].flatten().tolist()) <= {
        126,
        127,
        128,
        129,
    }  # bilinear without antialiasing: 0 or 255
    assert data.train_images[2].flatten().tolist() == [i % 256 for i in range(1024)]
    assert load(split, size=8).image_shape == (3, 8, 8)


def test_statistics_are_those_of_the_training_images(split):
    data = load(split)
    assert data.mean == pytest.approx(((0 + 1 + 2 + 100 + 101) / 5 / 255, 50 / 255, 7 / 255))
    assert data.std[1:] == (1.0, 1.0)


def test_hidden_and_other_files_are_passed_over(split):
    before = load(split)
    (split / "train" / ".cache").mkdir()
    (split / "train" / "cats" / "._0.png").write_bytes(b"x")
    (split / "train" / "cats" / "notes.txt").write_bytes(b"x")
    assert torch.equal(load(split).train_images, before.train_images)


def test_images_are_decoded_once(split, monkeypatch):
    before = load(split)
    assert (split / COPY).is_file()
    monkeypatch.setattr("src.data.decoded.decode", None)
    again = load(split)
    assert torch.equal(again.train_images, before.train_images)
    assert again.test_labels.tolist() == before.test_labels.tolist()


def test_a_changed_file_is_decoded_again(split):
    load(split)
    (split / "train" / "cats" / "0.png").write_bytes(picture((55, 0, 0), 41))
    assert reds(load(split).train_images) == [55, 100, 1, 101, 2]


def test_any_flipped_bit_of_the_copy_is_decoded_again(split):
    before = load(split)
    good = (split / COPY).read_bytes()
    for at in range(0, len(good), len(good) // 40):
        (split / COPY).write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        data = load(split)
        assert torch.equal(data.train_images, before.train_images)
        assert torch.equal(data.train_labels, before.train_labels)
        assert torch.equal(data.test_images, before.test_images)


def test_the_same_images_elsewhere_are_the_same_data(split, tmp_path):
    here, there = Folder(root=str(split)), Folder(root=str(tmp_path / "other place"))
    shutil.copytree(split, tmp_path / "other place")
    assert here.content_digest() is there.content_digest() is None
    here.load(), there.load()
    assert here.content_digest() == there.content_digest() is not None
    forget()
    assert here.content_digest() == there.content_digest() is not None
    assert (here.short, there.short) == ("folder_pets", "folder_other_place")
    assert Folder(root=f"{split}/train/..", size=64).short == "folder_pets-size64"


def test_other_settings_are_other_data(split):
    Folder(root=str(split)).load()
    assert Folder(root=str(split), size=16).content_digest() is None


def test_a_folder_that_cannot_be_written(split, monkeypatch, caplog):
    monkeypatch.setattr("src.data.decoded.os.access", lambda *_: False)
    monkeypatch.setattr("src.files.os.replace", lambda *_: (_ for _ in ()).throw(PermissionError("read-only")))
    before = files(split)
    data = Folder(root=str(split))
    assert reds(data.load().test_images) == [9, 109]
    assert data.content_digest() is not None
    assert files(split) == before
    assert "every run decodes the images again" in caplog.text


def deep(path):
    Image.new("I;16", (8, 8)).save(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda root: shutil.rmtree(root),
            r"dataset\.root=.*pets is no folder: it must hold a folder of images for each",
        ),
        (lambda root: shutil.rmtree(root / "train" / "dogs"), "train holds the class cats only: .*two or more"),
        (lambda root: [shutil.rmtree(path) for path in root.iterdir()], "pets holds no folders: it must hold"),
        (
            lambda root: (root / "train" / "birds").mkdir(),
            r"train/birds holds no images \(.bmp, .*take the folder away",
        ),
        (lambda root: (root / "test" / "dogs" / "0.png").unlink(), "test/dogs holds no images"),
        (lambda root: (root / "test" / "dogs").rename(root / "test" / "dog"), "test/dog is no class of .*pets/train"),
        (
            lambda root: (root / "train" / "dogs" / "1.png").write_bytes(b"x"),
            r"dogs/1\.png cannot be decoded .*mend it",
        ),
        (
            lambda root: (root / "train" / "dogs" / "1.png").write_bytes(picture(1)[:60]),
            r"dogs/1\.png cannot be decoded",
        ),
        (lambda root: deep(root / "train" / "dogs" / "1.png"), r"dogs/1\.png cannot be decoded .*more than 8 bits"),
        (lambda root: (root / "test" / "dogs" / "l.png").symlink_to("nowhere"), r"dogs/l\.png cannot be decoded"),
    ],
)
def test_what_is_no_such_folder(split, change, words):
    change(split)
    before = files(split)
    assert Folder(root=str(split)).content_digest() is None
    with pytest.raises(UserError, match=words):
        load(split)
    assert files(split) == before


def test_one_image_cannot_be_held_out(whole):
    for path in list((whole / "dogs").iterdir())[1:]:
        path.unlink()
    with pytest.raises(UserError, match=r"dogs holds one image, and one must be held out"):
        load(whole)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"root": ""}, r"dataset\.root='' is not allowed: .*for example dataset\.root=photos"),
        ({"channels": 2}, r"dataset\.channels=2 .*3 for colour or 1 for grey"),
        ({"size": 7}, r"dataset\.size=7 .*at least 8 and at most 1024"),
        ({"test_fraction": 1.0}, r"dataset\.test_fraction=1.0 .*above 0 and below 1"),
    ],
)
def test_settings(settings, words):
    with pytest.raises(UserError, match=words):
        Folder(**{"root": "photos", **settings}).check("dataset")
