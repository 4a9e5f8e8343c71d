"""Small data sets in the published layouts, and the checksums that go with them."""

import dataclasses
import gzip
import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from src.data import source
from src.data.__main__ import named
from src.data.dataset import Dataset

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
IDX_IMAGES, IDX_LABELS = 0x00000803, 0x00000801


def load_dataset(name, root, train_size=None, test_size=None, download=True) -> Dataset:
    return dataclasses.replace(named(name, str(root)), train_size=train_size, test_size=test_size).load(download)


def forget() -> None:
    """What was read in this process is read anew."""
    source._images.clear()
    source._digests.clear()


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pixels(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(0, 256, shape, dtype=np.uint8)


def small_dataset(n: int = 10, channels: int = 3, side: int = 12, flip: bool = True, crop: bool = True) -> Dataset:
    """Random images; the label of a training image is its index."""

    rng = np.random.default_rng(0)
    images = torch.from_numpy(pixels(rng, n, channels, side, side))
    mean, std = (0.5,) * channels, (0.25,) * channels
    tensors = images, torch.arange(n), images[: n // 2], torch.arange(n // 2)
    return Dataset(*tensors, n, "small", mean, std, flip=flip, crop=crop)


def write_idx(folder: Path, train: int = 7, test: int = 4) -> dict[str, np.ndarray]:
    """The four unpacked files of MNIST; their content by name."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True)
    written = {}
    for split, n in (("train", train), ("t10k", test)):
        images, labels = pixels(rng, n, 28, 28), rng.integers(0, 10, n, dtype=np.uint8)
        head = np.array([IDX_IMAGES, n, 28, 28], ">i4").tobytes()
        (folder / f"{split}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        head = np.array([IDX_LABELS, n], ">i4").tobytes()
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
        written |= {f"{split}-images-idx3-ubyte": images, f"{split}-labels-idx1-ubyte": labels}
    return written


def pack_each(source: Path, target: Path) -> None:
    """Every file of a folder as .gz in another."""
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        (target / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))


def write_cifar(folder: Path, files: dict[str, int], label_key: str) -> dict[str, dict[str, object]]:
    """Pickled batches of `files` (name to number of images) as the authors of CIFAR published them."""
    rng = np.random.default_rng(2)
    folder.mkdir(parents=True)
    batches = {}
    for name, n in files.items():
        batches[name] = {"data": pixels(rng, n, 3072), label_key: rng.integers(0, 10, n).tolist()}
        (folder / name).write_bytes(pickle.dumps(batches[name]))
    return batches


def pack_tar(folder: Path, archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)


def picture(colour: tuple[int, int, int] | int, side: int = 64) -> bytes:
    """A plain image, in colour or grey, in a lossless format."""
    file = io.BytesIO()
    Image.new("RGB" if isinstance(colour, tuple) else "L", (side, side), colour).save(file, "PNG")
    return file.getvalue()


def write_tiny_imagenet(folder: Path) -> None:
    """Two classes, listed as n02, n01, of three images each, and four test images; red tells an image.

    Training images of class c with number i have red 100 c + i; test images have 200 + i.
    """
    (folder / "val" / "images").mkdir(parents=True)
    wnids = ["n02", "n01"]
    (folder / "wnids.txt").write_text("\n".join(wnids) + "\n")
    for label, wnid in enumerate(wnids):
        images = folder / "train" / wnid / "images"
        images.mkdir(parents=True)
        for i in (10, 0, 2):
            (images / f"{wnid}_{i}.JPEG").write_bytes(picture((100 * label + i, 50, 7)))
    rows = []
    for i, wnid in ((3, "n01"), (0, "n02"), (2, "n02"), (1, "n01")):
        (folder / "val" / "images" / f"val_{i}.JPEG").write_bytes(picture((200 + i, 50, 7)))
        rows.append(f"val_{i}.JPEG\t{wnid}\t0\t0\t62\t62")
    (folder / "val" / "val_annotations.txt").write_text("\n".join(rows) + "\n")
