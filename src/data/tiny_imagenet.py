"""Tiny ImageNet, from an extracted folder, a zip file, or the download."""

import hashlib
import logging
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile
from zipfile import Path as ZipPath

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
"""What reading raises; RuntimeError for encrypted entries and unknown compression."""


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
            top = source if source.is_dir() else _top(ZipFile(source))
            key = hashlib.sha256(_content(top, CLASSES) + _content(top, ANNOTATIONS)).hexdigest()
            return decoded_once(self.kind(), root / DECODED, SHAPE, key, lambda: _decode(source, top))
        except UserError:
            raise
        except UNREADABLE as error:
            raise UserError(
                f"{source} cannot be read as Tiny ImageNet ({error}): delete it, or put the published one there"
            ) from error


def _source(root: Path) -> Path | None:
    if (root / FOLDER).is_dir():
        return root / FOLDER
    archives = sorted(root.glob("tiny-imagenet*.zip"), key=lambda path: (path.name != ARCHIVE, path.name))
    return archives[0] if archives else None


def _top(archive: ZipFile) -> ZipPath:
    """Where the lists are in a zip file. Raises FileNotFoundError for one without."""
    folders = [name.removesuffix(CLASSES) for name in archive.namelist() if f"/{name}".endswith(f"/{CLASSES}")]
    if not folders:
        raise FileNotFoundError(f"it holds no {CLASSES}")
    return ZipPath(archive, min(folders, key=lambda folder: folder.count("/")))


def _content(top: Path | ZipPath, path: str) -> bytes:
    """A file's content. Raises OSError where it is missing, ValueError where it is too large."""
    with (top / path).open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"{path} is larger than {LARGEST} bytes")
    return content


def _decode(source: Path, top: Path | ZipPath) -> "Images":
    """All images of a folder or zip file in the published layout.

    Training images come in rounds of one image per class, test images in the order of the annotations. Classes are
    numbered as listed. Raises one of UNREADABLE for another layout.
    """
    from src.data.dataset import Images
    from src.data.decoded import decode_all

    if source.is_file() and digest(source, published := TinyImagenet.checksums[ARCHIVE]) != published:
        log.warning("%s is not the published file (MD5 %s); it is read as it is", source, published)
    wnids = _content(top, CLASSES).decode().split()
    number = {wnid: index for index, wnid in enumerate(wnids)}
    if len(number) < len(wnids):
        raise ValueError(f"{CLASSES} names a class twice")
    rows = [line.split("\t") for line in _content(top, ANNOTATIONS).decode().splitlines()]
    if unknown := [row for row in rows if len(row) < 2 or row[1] not in number]:
        raise ValueError(f"{ANNOTATIONS} has {unknown[0]}, which names no class of {CLASSES}")
    parts = rounds(_training(top, wnids)), [(f"val/images/{row[0]}", number[row[1]]) for row in rows]
    decoded = (decode_all(TinyImagenet.kind(), part, lambda path: _picture(top, path), SHAPE) for part in parts)
    return Images(*next(decoded), *next(decoded), classes=len(wnids))


def _training(top: Path | ZipPath, wnids: list[str]) -> list[list[str]]:
    """The images of each class, by number."""
    if isinstance(top, Path):
        listed = [path.relative_to(top).as_posix() for path in top.glob("train/*/images/*")]
    else:
        listed = [entry.filename.removeprefix(top.at) for entry in top.root.infolist()]
        for entry in top.root.infolist():
            top.root.open(entry).close()  # its name there must be the one of the list
    folders: dict[str, list[str]] = {f"train/{wnid}/images": [] for wnid in wnids}
    for path in listed:
        folder, _, name = path.rpartition("/")
        if name and folder in folders:
            folders[folder].append(path)
    if empty := [folder for folder, paths in folders.items() if not paths]:
        raise FileNotFoundError(f"it holds no images in {empty[0]}")
    return [sorted(paths, key=lambda path: (len(path), path)) for paths in folders.values()]


def _picture(top: Path | ZipPath, path: str) -> "Image.Image":
    """One image in colour; grey ones get three equal channels."""
    from src.data.decoded import decode

    try:
        picture = decode(BytesIO(_content(top, path)), "RGB")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if picture.size != SHAPE[1:]:
        raise ValueError(f"{path} has {picture.width}x{picture.height} pixels, not 64x64")
    return picture
