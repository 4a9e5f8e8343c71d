"""A folder of class folders, the layout of torchvision's `ImageFolder`: dataset=folder dataset.root=PATH."""

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from src.config.part import require, safe_name, setting
from src.data.source import DataSource
from src.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from src.data.dataset import Images

EXTENSIONS = {".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}


class Labelled(NamedTuple):
    """An image's file and the number of its class."""

    path: Path
    label: int


@dataclass(frozen=True)
class Folder(DataSource):
    """Images of any size in a folder for each class, each resized to a square (antialiased) once and then kept.

    Either root/train/CLASS and root/test/CLASS (or root/val/CLASS), or root/CLASS alone, of which `test_fraction` of
    each class is held out for testing. Classes are numbered in the order of their names; images come in rounds of one
    of each class, so that the first n are of all classes.
    """

    root: str = setting("", identity=False)
    flip: bool = True
    crop: bool = True
    size: int = setting(32, at_least=8, at_most=1024)
    channels: int = 3
    test_fraction: float = setting(0.2, above=0, below=1)

    def check(self, key: str) -> None:
        super().check(key)
        require(
            bool(self.root), f"{key}.root", self.root, "a folder with a folder for each class", f"{key}.root=photos"
        )
        require(self.channels in (1, 3), f"{key}.channels", self.channels, "3 for colour or 1 for grey")

    @property
    def short(self) -> str:
        name = Path(os.path.abspath(self.folder)).name
        return safe_name("-".join([f"folder_{safe_name(name)}", *self._whole().changes()]))

    def files(self, root: Path) -> list[Path]:
        return [image.path for part in self._listed(root)[:2] for image in part]

    def read(self, root: Path, download: bool) -> "Images":
        from src.data.dataset import Images
        from src.data.decoded import decoded_once

        train, test, classes = self._listed(root)
        path = root / f".{self.kind()}-{self.channels}x{self.size}x{self.size}.safetensors"
        return decoded_once(
            self.kind(),
            path,
            self.fingerprint() or "",
            lambda: Images(*self._decoded(train), *self._decoded(test), classes=classes),
        )

    def _decoded(self, images: Sequence[Labelled]) -> tuple["Tensor", "Tensor"]:
        import numpy as np
        import torch
        from PIL import Image

        from src.data.decoded import decode, decode_all

        def pixels(image: Labelled) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
            try:
                picture = decode(image.path.read_bytes(), "RGB" if self.channels == 3 else "L")
            except (OSError, ValueError) as error:
                raise UserError(f"{image.path} cannot be decoded ({error}): mend it, or take it out") from error
            square = picture.resize((self.size, self.size), Image.Resampling.BILINEAR)
            return np.asarray(square).reshape(self.size, self.size, self.channels).transpose(2, 0, 1)

        labels = torch.tensor([image.label for image in images], dtype=torch.int64)
        return decode_all(self.short, images, pixels, (self.channels, self.size, self.size)), labels

    def _listed(self, root: Path) -> tuple[list[Labelled], list[Labelled], int]:
        """Training images, test images, and the number of classes. Raises UserError for a folder of another layout."""
        wanted = "it must hold a folder of images for each class, or train/ and test/ with such folders"
        if not root.is_dir():
            raise UserError(f"dataset.root={self.root} is no folder: {wanted}")
        base = root / "train" if _subfolders(root / "train") else root
        tests = [root / name for name in ("test", "val") if base != root and _subfolders(root / name)]
        names = [folder.name for folder in _subfolders(base)]
        if len(names) < 2:
            raise UserError(
                f"{base} holds {f'the class {names[0]} only' if names else 'no folders'}: {wanted}, two or more"
            )
        train = {name: _images(base / name) for name in names}
        if not tests:
            parts = {name: self._held_out(base / name, paths) for name, paths in train.items()}
            train, test = ({name: part[i] for name, part in parts.items()} for i in (0, 1))
        else:
            test = {folder.name: _images(folder) for folder in _subfolders(tests[0])}
            if unknown := sorted(set(test) - set(train)):
                raise UserError(
                    f"{tests[0] / unknown[0]} is no class of {base}: both must have folders of the same names"
                )
        return _rounds(train, names), _rounds(test, names), len(names)

    def _held_out(self, folder: Path, paths: list[Path]) -> tuple[list[Path], list[Path]]:
        """The images of a class for training and for testing: which ones, their number and order decide alone."""
        if len(paths) < 2:
            raise UserError(f"{folder} holds one image, and one must be held out for testing: add images, or test/")
        n = min(max(round(self.test_fraction * len(paths)), 1), len(paths) - 1)
        chosen = set(random.Random(0).sample(range(len(paths)), n))
        return [path for i, path in enumerate(paths) if i not in chosen], [paths[i] for i in sorted(chosen)]


def _subfolders(folder: Path) -> list[Path]:
    """Folders in a folder by name, without hidden ones; none where it is no folder."""
    inside = folder.iterdir() if folder.is_dir() else ()
    return sorted(
        (path for path in inside if path.is_dir() and not path.name.startswith(".")), key=lambda path: path.name
    )


def _images(folder: Path) -> list[Path]:
    """The images of a class, at any depth, by path. Raises UserError where there are none."""
    found = sorted(
        Path(place) / name
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if Path(name).suffix.lower() in EXTENSIONS and not name.startswith(".")
    )
    if not found:
        known = ", ".join(sorted(EXTENSIONS))
        raise UserError(f"{folder} holds no images ({known}): put some into it, or take the folder away")
    return found


def _rounds(paths: dict[str, list[Path]], names: list[str]) -> list[Labelled]:
    """One image of each class, then the next of each."""
    number = {name: label for label, name in enumerate(names)}
    numbered = [(i, number[name], path) for name, found in paths.items() for i, path in enumerate(found)]
    return [Labelled(path, label) for _, label, path in sorted(numbered)]
