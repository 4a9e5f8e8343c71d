"""Published files below a data set's root: all there and as published, or fetched, or one message on what to do."""

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from src.errors import UserError

SILENCE_S = 30.0


class Archive(NamedTuple):
    """A published file: its path below the root, its MD5, and where it can be had."""

    path: str
    md5: str
    urls: tuple[str, ...]


def ensure_files(
    name: str,
    root: Path,
    files: Mapping[str, str],
    fetch: Callable[[Path], None],
    advice: str = "Connect to the network",
) -> None:
    """See to it that `files` (path below `root` to MD5 or SHA-256) are there; `fetch` puts what is missing in a folder.

    Fetched files are checked and then moved into place, by one process at a time. Raises UserError where a file is
    damaged, or missing and not to be had; `advice` ends the message.
    """
    if not missing_files(root, files):
        return
    with preparing(name, root):
        missing = missing_files(root, files)
        try:
            if missing:
                _fetch_into(root, name, {path: files[path] for path in missing}, fetch)
        except (OSError, RuntimeError, EOFError) as error:
            more = f" and {len(missing) - 1} more files" if len(missing) > 1 else ""
            failure = " ".join(str(error).split()) or type(error).__name__
            raise UserError(
                f"dataset={name}: {root / missing[0]}{more} missing, and could not be fetched: {failure}. "
                f"{advice}, or choose dataset=digits, which needs no files"
            ) from None


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
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5" if len(like) == 32 else "sha256").hexdigest()


@contextmanager
def preparing(name: str, root: Path) -> Iterator[None]:
    """Only one process at a time; leaves neither a lock behind nor a root that stayed empty.

    Raises UserError where `root` cannot be written.
    """
    from filelock import FileLock

    path = root / f".{name}.lock"
    lock = FileLock(path)
    try:
        while not lock.is_locked:
            with suppress(FileNotFoundError):  # another process may have removed the folder, empty as it was
                root.mkdir(parents=True, exist_ok=True)
                lock.acquire()
    except OSError as error:
        raise UserError(f"dataset.root={root} cannot be written ({error}): choose another folder") from error
    with lock:
        try:
            for stale in root.glob(f".{name}-*.part"):  # of processes that were killed
                shutil.rmtree(stale, ignore_errors=True) if stale.is_dir() else stale.unlink()
            yield
        finally:
            # still locked: whoever waits for this file notices that it is gone, and makes a new one
            with suppress(OSError):
                path.unlink()
                root.rmdir()


def _fetch_into(root: Path, name: str, files: Mapping[str, str], fetch: Callable[[Path], None]) -> None:
    """Fetch to a folder beside, check, then move into place."""
    with TemporaryDirectory(dir=root, prefix=f".{name}-", suffix=".part", ignore_cleanup_errors=True) as folder:
        part = Path(folder)
        fetch(part)
        for path, expected in files.items():
            if not (part / path).is_file():
                raise FileNotFoundError(f"{path} was not among what was fetched")
            if (found := digest(part / path, expected)) != expected:
                raise OSError(f"{path} as fetched has checksum {found}, published is {expected}")
        for path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(part / path, root / path)


def fetch_archives(part: Path, root: Path, archives: Iterable[Archive], download: bool) -> None:
    """Copy those of `archives` that `root` has to `part`, download the others, unpack all. Raises OSError."""
    for archive in archives:
        here, path = root / archive.path, part / archive.path
        path.parent.mkdir(parents=True, exist_ok=True)
        found = digest(here, archive.md5) if here.is_file() else None
        if found == archive.md5:
            shutil.copyfile(here, path)
        else:
            other = f"; {here} is there, and is another file (MD5 {found})" if found else ""
            if not download:
                raise FileNotFoundError(f"downloading is off{other}")
            try:
                _download(archive, path)
            except OSError as error:
                raise OSError(f"{error}{other}") from error
        unpack(path)


def _download(archive: Archive, path: Path) -> None:
    """From the first address that gives the published file; raises the first one's error where none does."""
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    from tqdm import tqdm

    failures = []
    for url in archive.urls:
        request = Request(url, headers={"User-Agent": "sap-reproduction"})
        try:
            with urlopen(request, timeout=SILENCE_S) as response, path.open("wb") as file:
                size = int(response.headers.get("Content-Length") or 0) or None
                with tqdm.wrapattr(file, "write", total=size, desc=f"fetching {path.name}", leave=False) as stream:
                    shutil.copyfileobj(response, stream)
            if (found := digest(path, archive.md5)) == archive.md5:
                return
            failures.append(f"{url} gave a file with checksum {found}, published is {archive.md5}")
        except (OSError, HTTPException, ValueError) as error:
            failures.append(str(error) or type(error).__name__)
    raise OSError(failures[0])


def unpack(path: Path) -> None:
    """Unpack a `.tar.gz` or `.gz` beside itself; other files stay as they are. Raises OSError for a damaged one."""
    try:
        if path.name.endswith(".tar.gz"):
            with tarfile.open(path) as archive:
                archive.extractall(path.parent, filter="data")
        elif path.suffix == ".gz":
            with gzip.open(path) as packed, path.with_suffix("").open("wb") as file:
                shutil.copyfileobj(packed, file)
    except (EOFError, zlib.error, tarfile.TarError, gzip.BadGzipFile) as error:
        raise OSError(f"{path} is damaged ({error})") from error
