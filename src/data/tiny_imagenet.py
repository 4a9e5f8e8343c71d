"""Tiny ImageNet, from an extracted folder, a zip file, or the download."""

import hashlib
import logging
import zlib
from collections import defaultdict
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from src.data.fetching import digest
from src.data.folder import rounds
from src.data.published import Published, release
from src.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

    from src.data.dataset import Images

log = logging.getLogger(__name__)

FOLDER, ARCHIVE = "tiny-imagenet-200", "tiny-imagenet-200.zip"
DECODED = "tiny_imagenet-decoded.safetensors"
CLASSES, ANNOTATIONS = "wnids.txt", "val/val_annotations.txt"
SHAPE = (3, 64, 64)
LARGEST = 64 * 2**20
"""Bytes of one file; what claims more is none of Tiny ImageNet's."""

UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, BadZipFile, zlib.error)
"""What reading a tree raises; RuntimeError for encrypted entries and unknown compression."""


@dataclass(frozen=True)
class TinyImagenet(Published):
    """64x64 photographs in three channels, 100,000 and 10,000 (the labelled "val" split), in 200 classes.

    Looks for the extracted folder `tiny-imagenet-200`, then for a file `tiny-imagenet*.zip`, then downloads. The images
    are decoded once and kept beside, which is enough for later runs. A cut to fewer classes is read as it is.
    """

    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    true_mean, true_std = (0.4802, 0.4481, 0.3975), (0.2770, 0.2691, 0.2821)
    checksums, archives = release("tiny_imagenet")
    hint = f"or put the extracted folder {FOLDER} there, "

    flip: bool = True
    crop: bool = True

    def files(self, root: Path) -> list[Path]:
        source = _source(root)
        if source is None:
            return [root / DECODED]
        return [source] if source.is_file() else [source / CLASSES, source / ANNOTATIONS]

    def read(self, root: Path, download: bool) -> "Images":
        from src.data.decoded import kept

        if _source(root) is not None:
            return self.decode(root)
        images = kept(root / DECODED, SHAPE)
        return super().read(root, download) if images is None else images

    def decode(self, root: Path) -> "Images":
        from src.data.decoded import decoded_once

        source = _source(root) or root / ARCHIVE
        try:
            tree = FolderTree(source) if source.is_dir() else ZipTree(source, CLASSES)
            key = hashlib.sha256(tree.read(CLASSES) + tree.read(ANNOTATIONS)).hexdigest()
            return decoded_once(self.kind(), root / DECODED, SHAPE, key, lambda: decode_tree(source, tree))
        except UserError:
            raise
        except UNREADABLE as error:
            raise UserError(
                f"{source} cannot be read as Tiny ImageNet ({error}): delete it, or put the published one there"
            ) from error


def decode_tree(source: Path, tree: "FolderTree | ZipTree") -> "Images":
    """All images of a tree in the published layout.

    Training images come in rounds of one image per class, test images in the order of the annotations. Classes are
    numbered as listed. Raises OSError or ValueError for a broken tree.
    """
    from src.data.dataset import Images
    from src.data.decoded import decode_all

    if source.is_file() and digest(source, published := TinyImagenet.checksums[ARCHIVE]) != published:
        log.warning("%s is not the published file (MD5 %s); it is read as it is", source, published)
    wnids = tree.read(CLASSES).decode().split()
    number = {wnid: index for index, wnid in enumerate(wnids)}
    if len(number) < len(wnids):
        raise ValueError(f"{CLASSES} names a class twice")
    folders = [f"train/{wnid}/images" for wnid in wnids]
    names = [sorted(tree.names(folder), key=lambda name: (len(name), name)) for folder in folders]
    train = rounds([[f"{folder}/{name}" for name in found] for folder, found in zip(folders, names, strict=True)])
    rows = [line.split("\t") for line in tree.read(ANNOTATIONS).decode().splitlines()]
    if unknown := [row for row in rows if len(row) < 2 or row[1] not in number]:
        raise ValueError(f"{ANNOTATIONS} has {unknown[0]}, which names no class of {CLASSES}")
    test = [(f"val/images/{row[0]}", number[row[1]]) for row in rows]
    parts = (decode_all(TinyImagenet.kind(), part, lambda path: _picture(tree, path), SHAPE) for part in (train, test))
    return Images(*next(parts), *next(parts), classes=len(wnids))


def _picture(tree: "FolderTree | ZipTree", path: str) -> "Image.Image":
    """One image in colour; grey ones get three equal channels."""
    from src.data.decoded import decode

    try:
        picture = decode(BytesIO(tree.read(path)), "RGB")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if picture.size != SHAPE[1:]:
        raise ValueError(f"{path} has {picture.width}x{picture.height} pixels, not 64x64")
    return picture


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
        _check_size(path, (self._folder / path).stat().st_size)
        return (self._folder / path).read_bytes()


class ZipTree:
    """The same of a zip file, below the folder that holds `root_file`."""

    def __init__(self, archive: Path, root_file: str) -> None:
        self._zip = ZipFile(archive)
        self._names: dict[str, list[str]] = defaultdict(list)
        for path in self._zip.namelist():
            folder, _, name = f"/{path}".rpartition("/")
            self._names[folder].append(name)
        roots = [folder for folder, names in self._names.items() if root_file in names]
        if not roots:
            raise FileNotFoundError(f"it holds no {root_file}")
        self._root = min(roots, key=lambda folder: folder.count("/"))

    def names(self, folder: str) -> list[str]:
        if not (names := [name for name in self._names.get(f"{self._root}/{folder}", []) if name]):
            raise FileNotFoundError(f"it holds no folder {folder}")
        return names

    def read(self, path: str) -> bytes:
        try:
            entry = self._zip.getinfo(f"{self._root}/{path}".removeprefix("/"))
        except KeyError:
            raise FileNotFoundError(f"it holds no {path}") from None
        _check_size(path, entry.file_size)
        return self._zip.read(entry)


def _check_size(path: str, size: int) -> None:
    if size > LARGEST:
        raise ValueError(f"{path} would be {size} bytes, more than {LARGEST}")
