"""Tiny ImageNet: order, sources, the decoded copy, and messages for what is broken."""

import shutil

import pytest
import torch

from src.data import load_dataset
from src.data.tiny_imagenet import DECODED, FOLDER
from src.errors import UserError
from tests.data.synthetic import picture, write_tiny_imagenet

TRAIN_RED = [0, 100, 2, 102, 10, 110]
TRAIN_LABELS = [0, 1, 0, 1, 0, 1]
TEST_RED = [203, 200, 202, 201]
TEST_LABELS = [1, 0, 0, 1]
VAL = "val/val_annotations.txt"


@pytest.fixture
def root(tmp_path):
    write_tiny_imagenet(tmp_path / "root" / FOLDER)
    return tmp_path / "root"


def load(root):
    from src.data.load import _read

    _read.cache_clear()
    return load_dataset("tiny_imagenet", root)


def pack(root, name="tiny-imagenet-200.zip"):
    """The folder becomes a zip file."""
    archive = shutil.make_archive(str(root / name.removesuffix(".zip")), "zip", root, FOLDER)
    shutil.rmtree(root / FOLDER)
    return archive


def assert_read(data):
    assert data.train_images.shape == (6, 3, 64, 64)
    assert data.train_images.dtype == torch.uint8
    assert data.train_images[:, 0, 0, 0].tolist() == TRAIN_RED
    assert data.train_labels.tolist() == TRAIN_LABELS
    assert data.test_images[:, 0, 63, 63].tolist() == TEST_RED
    assert data.test_labels.tolist() == TEST_LABELS
    assert data.test_images[0, :, 5, 5].tolist() == [203, 50, 7]
    assert data.classes == 2


def test_rounds_of_one_image_per_class_in_the_listed_order(root):
    assert_read(load(root))


def test_the_first_images_are_of_all_classes(root):
    assert load_dataset("tiny_imagenet", root, train_size=2).train_labels.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["tiny-imagenet-200.zip", "tiny-imagenet-cut.zip"])
def test_a_zip_file(root, name, caplog):
    pack(root, name)
    assert_read(load(root))
    assert "is not the published file" in caplog.text


def test_the_decoded_copy_is_enough(root):
    load(root)
    shutil.rmtree(root / FOLDER)
    assert sorted(path.name for path in root.iterdir()) == [DECODED]
    assert_read(load(root))


def test_the_decoded_copy_is_used(root):
    load(root)
    for path in (root / FOLDER / "train").rglob("*.JPEG"):
        path.unlink()
    assert_read(load(root))


def test_a_damaged_decoded_copy_is_made_again(root):
    load(root)
    good = (root / DECODED).read_bytes()
    (root / DECODED).write_bytes(good[:200])
    assert_read(load(root))
    assert (root / DECODED).read_bytes() == good


def test_other_lists_are_decoded_again(root):
    load(root)
    (root / FOLDER / VAL).write_text("val_1.JPEG\tn01\n")
    data = load(root)
    assert data.test_images[:, 0, 0, 0].tolist() == [201]
    assert data.test_labels.tolist() == [1]


def test_grey_images_get_three_equal_channels(root):
    (root / FOLDER / "val" / "images" / "val_3.JPEG").write_bytes(picture(77))
    assert load(root).test_images[0, :, 0, 0].tolist() == [77, 77, 77]


def remove(path):
    path.unlink()


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("wnids.txt", remove, "wnids.txt"),
        (VAL, remove, "val_annotations.txt"),
        (VAL, lambda path: path.write_text("val_0.JPEG\tn07\n"), "'n07'.*names no class of wnids.txt"),
        (VAL, lambda path: path.write_text("val_0.JPEG\n"), "names no class"),
        (VAL, lambda path: path.write_text("val_9.JPEG\tn01\n"), "val_9.JPEG"),
        ("val/images/val_1.JPEG", lambda path: path.write_bytes(b"no image"), "val_1.JPEG"),
        ("val/images/val_1.JPEG", lambda path: path.write_bytes(picture(1)[:60]), "val_1.JPEG"),
        ("train/n01/images/n01_2.JPEG", lambda path: path.write_bytes(picture(1, 32)), "32x32 pixels, not 64x64"),
        ("train/n01", shutil.rmtree, "n01"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_broken_tree(root, file, change, words, zipped):
    change(root / FOLDER / file)
    if zipped:
        pack(root)
    with pytest.raises(UserError, match=rf"{root}/tiny-imagenet-200\S* cannot be read as Tiny ImageNet \(.*{words}"):
        load(root)
    assert not (root / DECODED).exists()


def test_a_truncated_zip_file(root):
    pack(root)
    path = root / "tiny-imagenet-200.zip"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=rf"{path} cannot be read as Tiny ImageNet .*delete it"):
        load(root)


def test_a_zip_file_damaged_inside(root):
    pack(root)
    path = root / "tiny-imagenet-200.zip"
    content = bytearray(path.read_bytes())
    start = content.index(b"wnids.txt") + len("wnids.txt")
    content[start : start + 6] = b"\xff" * 6
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"{path} cannot be read as Tiny ImageNet .*delete it"):
        load(root)


@pytest.mark.parametrize("download", [True, False])
def test_no_files_and_no_network(tmp_path, download):
    with pytest.raises(UserError, match=r"dataset=tiny_imagenet: .*tiny-imagenet-200\.zip missing.*\(MD5 90528d7c"):
        load_dataset("tiny_imagenet", tmp_path / "root", download=download)
    assert not list(tmp_path.iterdir())
