"""Files below a data set's root: all there and as published, or fetched, or one message that says what to do."""

import hashlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from src.errors import UserError

SILENCE_S = 30.0


def ensure_files(
    name: str, root: Path, files: Mapping[str, str], fetch: Callable[[Path], None], advice: str = ""
) -> None:
    """See to it that `files` (path below `root` to MD5 or SHA-256) are there; `fetch` puts what is missing in a folder.

    Fetched files are checked and then moved into place one by one, and only one process does so at a time.

    Raises:
        UserError: a file is damaged, or missing and not to be had; `advice` ends the message.
    """
    if not missing_files(root, files):
        return
    with preparing(name, root):
        missing = missing_files(root, files)
        failure = _fetch_into(root, name, missing, files, fetch) if missing else None
    if failure is not None:
        more = f" and {len(missing) - 1} more files" if len(missing) > 1 else ""
        raise UserError(
            f"dataset={name}: {root / missing[0]}{more} missing, and could not be fetched: {failure}. "
            f"{advice or 'Connect to the network'}, or choose dataset=digits, which needs no files"
        )


def missing_files(root: Path, files: Mapping[str, str]) -> list[str]:
    """Which of `files` are not below `root`. Raises UserError where one is there and has another content."""
    missing = []
    for name, expected in files.items():
        path = root / name
        if not path.is_file():
            missing.append(name)
        elif (found := digest(path, expected)) != expected:
            raise UserError(
                f"{path} is damaged or not the published file (checksum {found}, published {expected}): "
                "delete it and run the command again, which fetches it anew"
            )
    return missing


def digest(path: Path, like: str) -> str:
    """Hexadecimal MD5 of a file where `like` has the length of one, else SHA-256."""
    algorithm = "md5" if len(like) == 32 else "sha256"
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def fetch_archives(
    part: Path, root: Path, archives: Mapping[str, str], download: Callable[[], object], allowed: bool
) -> None:
    """Copy those of `archives` (path to MD5) that `root` has to `part`, then call `download`, which gets the others.

    Raises an OSError where an archive is not there and downloading is not allowed.
    """
    for name, expected in archives.items():
        if (root / name).is_file() and digest(root / name, expected) == expected:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, part / name)
        elif not allowed:
            raise FileNotFoundError("downloading is off")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE_S)
    try:
        download()
    finally:
        socket.setdefaulttimeout(before)


@contextmanager
def preparing(name: str, root: Path) -> Iterator[None]:
    """Only one process at a time; leaves neither a lock behind nor a root that stayed empty.

    Raises UserError where `root` cannot be written.
    """
    path = root / f".{name}.lock"
    try:
        lock = _acquired(path)
    except OSError as error:
        raise UserError(f"dataset.root={root} cannot be written ({error}): choose another folder") from error
    with lock:
        try:
            _remove_leftovers(name, root)
            yield
        finally:
            # still locked: whoever waits for this file notices that it is gone, and makes a new one
            with suppress(OSError):
                path.unlink()
                root.rmdir()


def _acquired(path: Path) -> AbstractContextManager[object]:
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return FileLock(path).acquire()
        except (FileExistsError, FileNotFoundError):
            # another process may have removed the folder, empty as it was, in between
            if not path.parent.is_dir() and os.path.lexists(path.parent):
                raise


def _remove_leftovers(name: str, root: Path) -> None:
    """What processes that were killed while they prepared this data set have left."""
    for stale in root.glob(f".{name}-*.part"):
        if stale.is_dir():
            shutil.rmtree(stale, ignore_errors=True)
        else:
            stale.unlink()


def _fetch_into(
    root: Path, name: str, missing: list[str], files: Mapping[str, str], fetch: Callable[[Path], None]
) -> str | None:
    """Fetch to a folder beside, then move into place; what went wrong, if anything."""
    try:
        with TemporaryDirectory(dir=root, prefix=f".{name}-", suffix=".part", ignore_cleanup_errors=True) as folder:
            part = Path(folder)
            fetch(part)
            for path in missing:
                if not (part / path).is_file():
                    raise FileNotFoundError(f"{path} was not among what was fetched")
                if (found := digest(part / path, files[path])) != files[path]:
                    raise OSError(f"{path} as fetched has checksum {found}, published is {files[path]}")
            for path in missing:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                os.replace(part / path, root / path)
    except (OSError, RuntimeError, HTTPException, EOFError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None
