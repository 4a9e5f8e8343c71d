"""Files in folders, extracted or still in a zip file."""

from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Protocol
from zipfile import ZipFile


class ImageTree(Protocol):
    """Read-only files by path with forward slashes. Both methods raise an OSError where there is no such thing."""

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder."""

    def read(self, path: str) -> bytes:
        """Content of a file."""


class FolderTree:
    """Files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self, folder: str) -> list[str]:
        return [path.name for path in (self._folder / folder).iterdir()]

    def read(self, path: str) -> bytes:
        return (self._folder / path).read_bytes()


class ZipTree:
    """Files in a zip file, below the folder that holds `root_file`."""

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
            return self._zip.read(str(self._root / path))
        except KeyError:
            raise FileNotFoundError(f"it holds no {path}") from None
