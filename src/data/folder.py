"""A folder of class folders, the layout of torchvision's `ImageFolder`: dataset=folder dataset.root=PATH."""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from src.config.part import require, safe_name, setting
from src.data.source import DataSource
from src.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

    from src.data.dataset import Images

EXTENSIONS = {".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}

Item = TypeVar("Item")


@dataclass(frozen=True)
class Folder(DataSource):
    """Images of any size in a folder for each class, each resized to a square (antialiased) once and then kept.

    Either root/train/CLASS and root/test/CLASS (or root/val/CLASS), or root/CLASS alone, of which `test_fraction` of
    each class is held out for testing. Classes are numbered in the order of their names.

    size: pixels a side; channels: 3 for colour, 1 for grey; test_fraction: of each class, where there is no test
    folder.
    """

    root: str = setting("", identity=False)
    flip: bool = True
    crop: bool = True
    size: int = setting(32, at_least=8, at_most=1024)
    channels: int = 3
    test_fraction: float = setting(0.2, above=0, below=1)

    def check(self, key: str) -> None:
        super().check(key)
        wanted = "a folder with a folder for each class"
        require(bool(self.root), f"{key}.root", self.root, wanted, f"{key}.root=photos")
        require(self.channels in (1, 3), f"{key}.channels", self.channels, "3 for colour or 1 for grey")

    @property
    def short(self) -> str:
        name = Path(os.path.abspath(self.folder)).name
        return safe_name("-".join([f"folder_{safe_name(name)}", *self._whole().changes()]))

    def files(self, root: Path) -> list[Path]:
        train, test, _ = self._listed(root)
        return [path for path, _ in train + test]

    def read(self, root: Path, download: bool) -> "Images":
        from src.data.dataset import Images
        from src.data.decoded import decode_all, decoded_once

        train, test, classes = self._listed(root)
        shape = self.channels, self.size, self.size
        path = root / f".{self.kind()}-{self.channels}x{self.size}x{self.size}.safetensors"

        def decode() -> Images:
            parts = (decode_all(self.short, part, self._square, shape) for part in (train, test))
            return Images(*next(parts), *next(parts), classes=classes)

        return decoded_once(self.kind(), path, shape, self.fingerprint() or "", decode)

    def _square(self, path: Path) -> "Image.Image":
        from PIL import Image

        from src.data.decoded import decode

        try:
            picture = decode(path, "RGB" if self.channels == 3 else "L")
        except ValueError as error:
            raise UserError(f"{path} cannot be decoded ({error}): mend it, or take it out") from error
        return picture.resize((self.size, self.size), Image.Resampling.BILINEAR)

    def _listed(self, root: Path) -> tuple[list[tuple[Path, int]], list[tuple[Path, int]], int]:
        """Training images, test images, and the number of classes. Raises UserError for a folder of another layout."""
        wanted = "it must hold a folder of images for each class, or train/ and test/ with such folders"
        if not root.is_dir():
            raise UserError(f"dataset.root={self.root} is no folder: {wanted}")
        base = root / "train" if _subfolders(root / "train") else root
        names = _subfolders(base)
        if len(names) < 2:
            raise UserError(
                f"{base} holds {f'the class {names[0]} only' if names else 'no folders'}: {wanted}, two or more"
            )
        train = [_images(base / name) for name in names]
        tests = [root / name for name in ("test", "val") if base != root and _subfolders(root / name)]
        if not tests:
            parts = [self._held_out(base / name, paths) for name, paths in zip(names, train, strict=True)]
            return rounds([part[0] for part in parts]), rounds([part[1] for part in parts]), len(names)
        found = _subfolders(tests[0])
        if unknown := sorted(set(found) - set(names)):
            raise UserError(f"{tests[0] / unknown[0]} is no class of {base}: both must have folders of the same names")
        test = [_images(tests[0] / name) if name in found else [] for name in names]
        return rounds(train), rounds(test), len(names)

    def _held_out(self, folder: Path, paths: list[Path]) -> tuple[list[Path], list[Path]]:
        """The images of a class for training and for testing: which ones, their number and order decide alone."""
        if len(paths) < 2:
            raise UserError(f"{folder} holds one image, and one must be held out for testing: add images, or test/")
        n = min(max(round(self.test_fraction * len(paths)), 1), len(paths) - 1)
        chosen = set(random.Random(0).sample(range(len(paths)), n))
        return [path for i, path in enumerate(paths) if i not in chosen], [paths[i] for i in sorted(chosen)]


def rounds(classes: Sequence[Sequence[Item]]) -> list[tuple[Item, int]]:
    """One of each class, then the next of each, with the class's number: the first n of them are of all classes."""
    numbered = [(i, label, item) for label, items in enumerate(classes) for i, item in enumerate(items)]
    return [(item, label) for _, label, item in sorted(numbered, key=lambda entry: entry[:2])]


def _subfolders(folder: Path) -> list[str]:
    """Names of the folders in a folder, without hidden ones; none where it is no folder."""
    inside = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in inside if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    """The images of a class, at any depth, by path. Raises UserError where there are none, or a link leads back."""
    found, places = [], set()
    for place, _, names in os.walk(folder, followlinks=True, onerror=_unreadable):
        if (real := os.path.realpath(place)) in places:
            raise UserError(f"{place} is a link to a folder that {folder} holds already: take it away")
        places.add(real)
        found += [Path(place) / n for n in names if Path(n).suffix.lower() in EXTENSIONS and not n.startswith(".")]
    if not found:
        known = ", ".join(sorted(EXTENSIONS))
        raise UserError(f"{folder} holds no images ({known}): put some into it, or take the folder away")
    return sorted(found)


def _unreadable(error: OSError) -> None:
    raise error
