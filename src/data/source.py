"""A data set as a part: where its images are, how they are normalised and augmented, and what a run takes of them."""

import dataclasses
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from src.config.code import LENGTH, code_digest
from src.config.part import Part, choice, default_of, require, safe_name, setting, shown
from src.errors import UserError
from src.files import replace

if TYPE_CHECKING:
    from src.data.dataset import Dataset, Images

Channels = tuple[float, ...]
"""A number for each channel."""

KEPT = 2
"""Data sets whose images stay in memory for the next run of this process."""

_images: dict[str, "Images"] = {}
_digests: dict[str, str] = {}


@dataclass(frozen=True)
class DataSource(Part):
    """Images below a folder. A data set extends `read`, and `files` where its digest is to be known before it is read.

    `mean` and `std` are those of the authors' code (PROTOCOL 3.2), per channel, of pixels scaled to [0, 1]; `true_mean`
    and `true_std` those of the training images, where they differ. A class that gives none has them computed.
    `place` says where the files are, `content` is the digest of images that are published and do not change.

    root: the folder of the files; train_size, test_size: images that are taken, the first ones, null: all; shuffle:
    a new order of the training images in each epoch; augment: whether flip and crop are done at all; statistics:
    mean and standard deviation that images are normalised with, those of the authors' code or the true ones; flip:
    mirror half of the training images; crop: move them by up to 4 pixels.
    """

    mean: ClassVar[Channels | None] = None
    std: ClassVar[Channels | None] = None
    true_mean: ClassVar[Channels | None] = None
    true_std: ClassVar[Channels | None] = None
    place: ClassVar[str] = "{root}"
    content: ClassVar[str | None] = None

    root: str = setting("data", identity=False)
    train_size: int | None = None
    test_size: int | None = None
    shuffle: bool = True
    augment: bool = True
    statistics: str = choice("reference", "true")
    flip: bool = False
    crop: bool = False

    def read(self, root: Path, download: bool) -> "Images":
        """All images and labels, on the CPU; `download` what is missing. Raises UserError for what cannot be had."""
        raise NotImplementedError

    def files(self, root: Path) -> list[Path]:
        """Files whose names, sizes and times change where `read` would give something else; none: not known."""
        return []

    @property
    def short(self) -> str:
        """The kind, and the data set's own settings that are not at their default; none of those that all have."""
        return safe_name("-".join([self.kind(), *self._whole().changes()]))

    @property
    def folder(self) -> Path:
        """`root` as an absolute path; `~` is the user's home."""
        return Path(os.path.expanduser(self.root)).absolute()

    def check(self, key: str) -> None:
        super().check(key)
        require("\0" not in self.root, f"{key}.root", repr(self.root), "a path, which has no NUL")
        for name, size in (("train_size", self.train_size), ("test_size", self.test_size)):
            require(size is None or size >= 1, f"{key}.{name}", size, "null for all images, or 1 or more")

    def load(self, download: bool = True) -> "Dataset":
        """The data set on the CPU; the first images only where sizes are given.

        Calls of one process share the tensors: they must not be written to. Raises UserError for a size out of range,
        for files that are damaged or cannot be had, and for a mean or deviation that is none.
        """
        from src.data.dataset import Dataset

        images = self._read_once(download)
        train = self._size("train", self.train_size, len(images.train_labels))
        test = self._size("test", self.test_size, len(images.test_labels))
        training = images.train_images[:train], images.train_labels[:train]
        testing = images.test_images[:test], images.test_labels[:test]
        mean, std = self.mean, self.std
        if mean is None or std is None:
            mean, std = images.channel_statistics()
        elif self.statistics == "true":
            mean, std = self.true_mean or mean, self.true_std or std
        channels = images.train_images.shape[1]
        if not _are_statistics(mean, std, channels):
            raise UserError(
                f"dataset={self.kind()} has mean {shown(mean)} and std {shown(std)}: each must be a finite number for "
                f"every channel, of which its images have {channels}, and std above 0"
            )
        return Dataset(*training, *testing, images.classes, self.short, mean, std, self.flip, self.crop)

    def content_digest(self) -> str | None:
        """Digest of all images and labels as decoded; None where it is not known before they are read.

        It is pinned, or was noted beside the files, with their names, sizes and times, when they were last read.
        """
        key = self._key()
        if key not in _digests and (digest := self._pinned() or self._noted(self.fingerprint())):
            _digests[key] = digest
        return _digests.get(key)

    def fingerprint(self) -> str | None:
        """Digest of code, settings, and the files' names, sizes and times; None where one is missing or none named."""
        try:
            found = [(os.path.relpath(path, self.folder), path.stat()) for path in self.files(self.folder)]
        except (OSError, UserError):
            return None
        files = [(name, status.st_size, status.st_mtime_ns) for name, status in found]
        text = json.dumps([code_digest(type(self)), repr(dataclasses.replace(self._whole(), root="")), files])
        return hashlib.sha256(text.encode()).hexdigest()[:LENGTH] if files else None

    def _pinned(self) -> str | None:
        """`content` of the class itself: one that derives from it may read something else."""
        return vars(type(self)).get("content")

    def _notes(self) -> Path:
        return self.folder / f".{self.short}.digest.json"

    def _whole(self) -> Self:
        """The same without what a run decides: all images, in the usual way."""
        shared = {field.name for field in dataclasses.fields(DataSource)} - {"root"}
        own = {field.name: default_of(field) for field in dataclasses.fields(self) if field.name in shared}
        return dataclasses.replace(self, **own)

    def _key(self) -> str:
        """What is read, within this process."""
        return f"{type(self).__module__}.{dataclasses.replace(self._whole(), root=str(self.folder))!r}"

    def _read_once(self, download: bool) -> "Images":
        key = self._key()
        images = _images.pop(key, None)
        if images is None:
            before = None if self._pinned() else self.fingerprint()
            try:
                images = self.read(self.folder, download)
            except OSError as error:
                raise UserError(f"dataset.root={self.root} cannot be read ({error}): choose another folder") from error
            if fault := _fault(images):
                raise UserError(f"dataset={self.kind()} gave {fault}: mend {type(self).__qualname__}.read")
            self._verify(images.digest, before)
            _digests[key] = images.digest
        _images[key] = images
        while len(_images) > KEPT:
            del _images[next(iter(_images))]
        return images

    def _verify(self, found: str, fingerprint: str | None) -> None:
        """Compare the digest of what was read with the one that was known before; note it where none is pinned."""
        if expected := self._pinned():
            fix = f"undo what was changed in {type(self).__module__}, or set `content` there"
        else:
            fix = f"files in {self.folder} have changed, though not their sizes and times; run the command again"
            fingerprint = fingerprint or self.fingerprint()
            expected = self._noted(fingerprint)
            if fingerprint is not None and expected != found:
                text = json.dumps({"files": fingerprint, "content": found}) + "\n"
                with suppress(OSError):  # a folder that cannot be written: the digest is computed again
                    replace(self._notes(), lambda part: part.write_text(text, encoding="utf-8"))
        if expected not in (None, found):
            raise UserError(f"dataset={self.kind()} was read with digest {found}, expected was {expected}: {fix}")

    def _noted(self, fingerprint: str | None) -> str | None:
        try:
            noted = json.loads(self._notes().read_text(encoding="utf-8"))
            return str(noted["content"]) if fingerprint is not None and noted["files"] == fingerprint else None
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None

    def _size(self, split: str, size: int | None, available: int) -> int:
        if size is not None and not 1 <= size <= available:
            raise UserError(
                f"dataset.{split}_size={size} is not possible: {self.short} has {available} {split} images; "
                f"choose 1 to {available}, or null for all"
            )
        return available if size is None else size


def _are_statistics(mean: object, std: object, channels: int) -> bool:
    """Whether images can be normalised with them: a number for each channel, and none to be divided by that is zero."""
    import numpy as np

    with suppress(TypeError, ValueError):
        values = np.asarray([mean, std], dtype=float)
        return values.shape == (2, channels) and bool(np.isfinite(values).all() and (values[1] > 0).all())
    return False


def _fault(images: object) -> str | None:
    """What is wrong with what `read` gave; None where nothing is."""
    from src.data.dataset import Images

    if not isinstance(images, Images):
        return f"a {type(images).__name__}, not Images"
    if type(images.classes) is not int or images.classes < 2:
        return f"classes={images.classes!r}, which is no int of 2 or more"
    return images.fault()
