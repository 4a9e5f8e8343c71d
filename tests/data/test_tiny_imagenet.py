"""Tiny ImageNet: order, sources, the decoded copy, and messages for what is broken."""

import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch

from src.data import tiny_imagenet
from src.data.tiny_imagenet import DECODED, FOLDER, TinyImagenet
from src.errors import UserError
from tests.data.synthetic import forget, load_dataset, picture, write_tiny_imagenet

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
    forget()
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
    assert sorted(path.name for path in root.iterdir()) == [".tiny_imagenet.digest.json", DECODED]
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


def test_any_flipped_bit_of_the_decoded_copy_is_found(root):
    load(root)
    good = (root / DECODED).read_bytes()
    for at in range(0, len(good), len(good) // 60):
        (root / DECODED).write_bytes(good[:at] + bytes([good[at] ^ 8]) + good[at + 1 :])
        assert_read(load(root))
    shutil.rmtree(root / FOLDER)
    (root / DECODED).write_bytes(good[:-1] + bytes([good[-1] ^ 8]))
    with pytest.raises(UserError, match=r"tiny-imagenet-200\.zip missing"):
        load(root)


@pytest.mark.parametrize("zipped", [False, True])
def test_the_digest_is_known_without_reading(root, zipped):
    if zipped:
        pack(root)
    source = TinyImagenet(root=str(root))
    assert source.content_digest() is None
    digest = load(root) and source.content_digest()
    forget()
    assert source.content_digest() == digest is not None


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


def forged(content, name, offset, size, value):
    """A zip file's content with another value in the headers of an entry, here and in the list at the end."""
    changed = bytearray(content)
    for signature, skip in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        end = content.index(name.encode()) if skip == 0 else content.rindex(name.encode())
        start = content.rindex(signature, 0, end) + offset + skip
        changed[start : start + size] = value.to_bytes(size, "little")
    return bytes(changed)


@pytest.mark.parametrize(
    ("offset", "size", "value", "words"),
    [
        (6, 2, 1, "encrypted"),
        (8, 2, 99, "compression"),
        (14, 4, 7, "CRC"),
    ],
)
def test_a_zip_file_with_entries_that_are_not_to_be_unpacked(root, offset, size, value, words):
    path = Path(pack(root))
    path.write_bytes(forged(path.read_bytes(), "n01_2.JPEG", offset, size, value))
    with pytest.raises(UserError, match=rf"{path} cannot be read as Tiny ImageNet \(.*{words}"):
        load(root)
    assert not (root / DECODED).exists()


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_that_is_too_large(root, zipped, monkeypatch):
    monkeypatch.setattr(tiny_imagenet, "LARGEST", 1000)
    (root / FOLDER / "val/images/val_1.JPEG").write_bytes(bytes(1001))
    if zipped:
        pack(root)
    with pytest.raises(UserError, match=r"\(val/images/val_1.JPEG.* is larger than 1000 bytes\)"):
        load(root)


def test_a_zip_file_that_lists_an_image_under_another_name(root):
    path = Path(pack(root))
    content = path.read_bytes()
    at = content.rindex(b"train/n01/images/n01_2.JPEG")
    path.write_bytes(content[:at] + b"T" + content[at + 1 :])
    with pytest.raises(UserError, match=rf"{path} cannot be read as Tiny ImageNet \(.*differ"):
        load(root)


def test_a_zip_file_without_a_top_folder(root):
    pack(root)
    with ZipFile(root / "tiny-imagenet-200.zip") as archive:
        archive.extractall(root / "x")
    (root / "tiny-imagenet-200.zip").unlink()
    shutil.make_archive(str(root / "tiny-imagenet-flat"), "zip", root / "x" / FOLDER)
    shutil.rmtree(root / "x")
    assert_read(load(root))


def test_a_zip_file_without_lists(root):
    with ZipFile(root / "tiny-imagenet-a.zip", "w") as archive:
        archive.writestr("a", b"1")
    shutil.rmtree(root / FOLDER)
    with pytest.raises(UserError, match=r"holds no wnids\.txt"):
        load(root)
