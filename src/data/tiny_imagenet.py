"""Tiny ImageNet, from an extracted folder, a zip file, or the download."""

import hashlib
import logging
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from src.data.fetching import Archive, digest, ensure_files, fetch_archives
from src.data.source import DataSource
from src.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    from src.data.dataset import Images

log = logging.getLogger(__name__)

FOLDER, ARCHIVE = "tiny-imagenet-200", "tiny-imagenet-200.zip"
MD5 = "90528d7ca1a48142e341f4ef8d21d0de"
PUBLISHED = Archive(ARCHIVE, MD5, (f"http://cs231n.stanford.edu/{ARCHIVE}",))
DECODED = "tiny_imagenet-decoded.safetensors"
CLASSES, ANNOTATIONS = "wnids.txt", "val/val_annotations.txt"
SIDE = 64
LARGEST = 64 * 2**20
"""Bytes of one file of a zip file; what claims more is none of Tiny ImageNet's."""

UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, BadZipFile, zlib.error)
"""What reading a tree raises; RuntimeError for encrypted entries and unknown compression."""


@dataclass(frozen=True)
class TinyImagenet(DataSource):
    """64x64 photographs in three channels, 100,000 and 10,000 (the labelled "val" split), in 200 classes.

    Looks for the extracted folder `tiny-imagenet-200`, then for a file `tiny-imagenet*.zip`, then downloads. The images
    are decoded once and kept beside, which is enough for later runs. A cut to fewer classes is read as it is.
    """

    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    true_mean, true_std = (0.4802, 0.4481, 0.3975), (0.2770, 0.2691, 0.2821)

    flip: bool = True
    crop: bool = True

    def files(self, root: Path) -> list[Path]:
        source = _source(root)
        if source is None:
            return [root / DECODED]
        return [source] if source.is_file() else [source / CLASSES, source / ANNOTATIONS]

    def read(self, root: Path, download: bool) -> "Images":
        from src.data.decoded import kept

        source, path = _source(root), root / DECODED
        if source is None:
            if (images := kept(path)) is not None:
                return images
            advice = f"Connect to the network, or put {ARCHIVE} (MD5 {MD5}) or the folder in it into {root}"
            fetch = lambda part: fetch_archives(part, root, [PUBLISHED], download)  # noqa: E731
            ensure_files(self.kind(), root, {ARCHIVE: MD5}, fetch, advice)
            source = root / ARCHIVE
        try:
            return self._from_source(source, path)
        except UserError:
            raise
        except UNREADABLE as error:
            raise UserError(
                f"{source} cannot be read as Tiny ImageNet ({error}): delete it, or put the published one there"
            ) from error

    def _from_source(self, source: Path, path: Path) -> "Images":
        from src.data.decoded import decoded_once

        tree = FolderTree(source) if source.is_dir() else ZipTree(source, CLASSES)
        key = hashlib.sha256(tree.read(CLASSES) + tree.read(ANNOTATIONS)).hexdigest()

        def decode() -> "Images":
            if source.is_file() and digest(source, MD5) != MD5:
                log.warning("%s is not the published file (MD5 %s); it is read as it is", source, MD5)
            return decode_tree(tree)

        return decoded_once(self.kind(), path, key, decode)


def decode_tree(tree: "FolderTree | ZipTree") -> "Images":
    """All images of a tree in the published layout.

    Training images come in rounds of one image per class, so that the first n of them are of all classes; test images
    in the order of the annotations. Classes are numbered as listed. Raises OSError or ValueError for a broken tree.
    """
    from src.data.dataset import Images

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
    return Images(*_decoded(tree, train), *_decoded(tree, test), classes=len(wnids))


def _decoded(tree: "FolderTree | ZipTree", labelled: Sequence[tuple[str, int]]) -> tuple["Tensor", "Tensor"]:
    """Images and labels of paths and their classes."""
    import torch

    from src.data.decoded import decode_all

    images = decode_all(
        "tiny_imagenet", [path for path, _ in labelled], lambda path: _pixels(tree, path), (3, SIDE, SIDE)
    )
    return images, torch.tensor([label for _, label in labelled], dtype=torch.int64)


def _pixels(tree: "FolderTree | ZipTree", path: str) -> "npt.NDArray[np.uint8]":
    """One image as [3, 64, 64]; grey ones get three equal channels."""
    import numpy as np

    from src.data.decoded import decode

    try:
        picture = decode(tree.read(path), "RGB")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if picture.size != (SIDE, SIDE):
        raise ValueError(f"{path} has {picture.width}x{picture.height} pixels, not {SIDE}x{SIDE}")
    return np.asarray(picture).transpose(2, 0, 1)


def _source(root: Path) -> Path | None:
    if (root / FOLDER).is_dir():
        return root / FOLDER
    archives = sorted(root.glob("tiny-imagenet*.zip"), key=lambda path: (path.name != ARCHIVE, path.name))
    return archives[0] if archives else None


class FolderTree:
    """Files below a folder, by path with forward slashes; OSError where there is no such thing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self, folder: str) -> list[str]:
        return [path.name for path in (self._folder / folder).iterdir()]

    def read(self, path: str) -> bytes:
        return (self._folder / path).read_bytes()


class ZipTree:
    """The same of a zip file, below the folder that holds `root_file`."""

    def __init__(self, archive: Path, root_file: str) -> None:
        self._zip = ZipFile(archive)
        files = [PurePosixPath(info.filename) for info in self._zip.infolist() if not info.is_dir()]
        roots = [path.parent for path in files if path.name == root_file]
        if not roots:
            raise FileNotFoundError(f"it holds no {root_file}")
        self._root = min(roots, key=lambda path: len(path.parts))
        self._names: dict[PurePosixPath, list[str]] = defaultdict(list)
        for path in files:
            self._names[path.parent].append(path.name)

    def names(self, folder: str) -> list[str]:
        if self._root / folder not in self._names:
            raise FileNotFoundError(f"it holds no folder {folder}")
        return self._names[self._root / folder]

    def read(self, path: str) -> bytes:
        try:
            entry = self._zip.getinfo(str(self._root / path))
        except KeyError:
            raise FileNotFoundError(f"it holds no {path}") from None
        if entry.file_size > LARGEST:
            raise ValueError(f"{path} would be {entry.file_size} bytes, more than {LARGEST}")
        return self._zip.read(entry)
