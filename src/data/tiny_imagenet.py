"""Tiny ImageNet, which torchvision does not have: from an extracted folder, a zip file, or the download."""

import hashlib
import io
import logging
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from src.data.dataset import Images
from src.data.fetching import digest, ensure_files, fetch_archives, preparing
from src.data.image_tree import FolderTree, ImageTree, ZipTree
from src.errors import UserError
from src.store.files import read_tensors, write_tensors

log = logging.getLogger(__name__)

NAME = "tiny_imagenet"
URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
MD5 = "90528d7ca1a48142e341f4ef8d21d0de"
FOLDER, ARCHIVE = "tiny-imagenet-200", "tiny-imagenet-200.zip"
DECODED = f"{NAME}-decoded.safetensors"
CLASSES, ANNOTATIONS = "wnids.txt", "val/val_annotations.txt"
SIDE = 64

UNREADABLE = (OSError, ValueError, EOFError, BadZipFile, zlib.error)

Labelled = tuple[str, int]
"""Path of an image and its class."""


def read_tiny_imagenet(root: Path, download: bool) -> Images:
    """64x64 photographs in three channels, 100,000 and 10,000 (the labelled "val" split), in 200 classes.

    Looks for the extracted folder `tiny-imagenet-200`, then for a file `tiny-imagenet*.zip`, then downloads. The images
    are decoded once and kept beside, which is enough for later runs. A cut to fewer classes is read as it is.
    """
    source, decoded = _source(root), root / DECODED
    if source is None:
        if (images := _decoded(decoded)) is not None:
            return images
        _download(root, download)
        source = root / ARCHIVE
    try:
        return _from_source(source, decoded)
    except UserError:
        raise
    except UNREADABLE as error:
        raise UserError(
            f"{source} cannot be read as Tiny ImageNet ({error}): delete it, or put the published one there"
        ) from error


def _from_source(source: Path, decoded: Path) -> Images:
    tree: ImageTree = FolderTree(source) if source.is_dir() else ZipTree(source, CLASSES)
    key = hashlib.sha256(tree.read(CLASSES) + tree.read(ANNOTATIONS)).hexdigest()
    if (images := _decoded(decoded, key)) is not None:
        return images
    if source.is_file() and digest(source, MD5) != MD5:
        log.warning("%s is not the published file (MD5 %s); it is read as it is", source, MD5)
    if not os.access(decoded.parent, os.W_OK):
        log.warning("%s cannot be written: every run decodes the images again", decoded.parent)
        return decode(tree)
    with preparing(NAME, decoded.parent):
        if (images := _decoded(decoded, key)) is None:
            images = decode(tree)
            tensors = {name: tensor for name, tensor in images._asdict().items() if isinstance(tensor, Tensor)}
            write_tensors(decoded, tensors, {"key": key, "classes": images.classes})
    return images


def decode(tree: ImageTree) -> Images:
    """All images of a tree in the published layout.

    Training images come in rounds of one image per class, so that the first n of them are of all classes; test images
    in the order of the annotations. Classes are numbered as listed. Raises OSError or ValueError for a broken tree.
    """
    wnids = tree.read(CLASSES).decode().split()
    number = {wnid: index for index, wnid in enumerate(wnids)}
    rounds = []
    for wnid in wnids:
        names = sorted(tree.names(f"train/{wnid}/images"), key=lambda name: (len(name), name))
        rounds += [(i, number[wnid], f"train/{wnid}/images/{name}") for i, name in enumerate(names)]
    train = [(path, label) for _, label, path in sorted(rounds)]
    rows = [line.split("\t") for line in tree.read(ANNOTATIONS).decode().splitlines()]
    if unknown := [row for row in rows if len(row) < 2 or row[1] not in number]:
        raise ValueError(f"{ANNOTATIONS} has {unknown[0]}, which names no class of {CLASSES}")
    test = [(f"val/images/{row[0]}", number[row[1]]) for row in rows]
    return Images(*_load(tree, train), *_load(tree, test), classes=len(wnids))


def _load(tree: ImageTree, labelled: Sequence[Labelled]) -> tuple[Tensor, Tensor]:
    images = np.empty((len(labelled), 3, SIDE, SIDE), np.uint8)
    for index, (path, _) in enumerate(tqdm(labelled, desc=f"decoding {NAME}", unit="images", leave=False)):
        images[index] = _pixels(tree, path)
    return torch.from_numpy(images), torch.tensor([label for _, label in labelled], dtype=torch.int64)


def _pixels(tree: ImageTree, path: str) -> npt.NDArray[np.uint8]:
    """One image as [3, 64, 64]; grey ones get three equal channels."""
    try:
        with Image.open(io.BytesIO(tree.read(path))) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise ValueError(f"{path}: {error}") from error
    if pixels.shape != (SIDE, SIDE, 3):
        raise ValueError(f"{path} has {pixels.shape[1]}x{pixels.shape[0]} pixels, not {SIDE}x{SIDE}")
    return pixels.transpose(2, 0, 1)


def _source(root: Path) -> Path | None:
    if (root / FOLDER).is_dir():
        return root / FOLDER
    archives = sorted(root.glob("tiny-imagenet*.zip"), key=lambda path: (path.name != ARCHIVE, path.name))
    return archives[0] if archives else None


def _decoded(path: Path, key: str | None = None) -> Images | None:
    """Images kept earlier; None where there are none, or only damaged ones, or of other lists than `key` tells."""
    try:
        tensors, metadata = read_tensors(path)
    except OSError:
        return None
    return Images(**tensors, classes=metadata["classes"]) if key in (None, metadata["key"]) else None


def _download(root: Path, allowed: bool) -> None:
    from torchvision.datasets.utils import download_url  # takes seconds to import

    def fetch(part: Path) -> None:
        fetch_archives(part, root, {ARCHIVE: MD5}, lambda: download_url(URL, part, ARCHIVE, MD5), allowed)

    advice = f"Connect to the network, or put {ARCHIVE} (MD5 {MD5}) or the folder in it into {root}"
    ensure_files(NAME, root, {ARCHIVE: MD5}, fetch, advice)
