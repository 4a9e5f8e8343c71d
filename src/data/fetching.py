"""Files below a data set's root: all there and as published, or fetched, or one message that says what to do."""

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from src.errors import UserError

SILENCE_S = 30.0


@dataclass(frozen=True)
class Archive:
    """A published file: its path below the root, its MD5, and where it can be had."""

    path: str
    md5: str
    urls: tuple[str, ...]


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


def fetch_archives(part: Path, root: Path, archives: Iterable[Archive], download: bool) -> None:
    """Copy those of `archives` that `root` has to `part`, download the others, and unpack all.

    Raises an OSError or HTTPException where one is not to be had.
    """
    for archive in archives:
        path = part / archive.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if (root / archive.path).is_file() and digest(root / archive.path, archive.md5) == archive.md5:
            shutil.copyfile(root / archive.path, path)
        elif not download:
            raise FileNotFoundError("downloading is off")
        else:
            _download(archive, path)
        unpack(path)


def _download(archive: Archive, path: Path) -> None:
    """From the first address that gives the published file; raises the first one's error where none does."""
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    from tqdm import tqdm

    failures: list[Exception] = []
    for url in archive.urls:
        try:
            request = Request(url, headers={"User-Agent": "sap-reproduction"})
            with urlopen(request, timeout=SILENCE_S) as response, path.open("wb") as file:
                size = int(response.headers.get("Content-Length") or 0) or None
                with tqdm.wrapattr(file, "write", total=size, desc=f"fetching {path.name}", leave=False) as stream:
                    shutil.copyfileobj(response, stream)
            if (found := digest(path, archive.md5)) == archive.md5:
                return
            failures.append(OSError(f"{url} gave a file with checksum {found}, published is {archive.md5}"))
        except (OSError, HTTPException) as error:
            failures.append(error)
    raise failures[0]


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


def put(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then put it in its place in one step."""
    part = path.with_name(f".{path.name.lstrip('.')}.{os.getpid()}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


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
    from filelock import FileLock

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
    from http.client import HTTPException

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
