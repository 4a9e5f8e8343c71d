"""Files below a root: there and as published, fetched once, or one message."""

import gzip
import hashlib
import tarfile
import threading
import time

import pytest

from src.data.fetching import Archive, ensure_files, fetch_archives
from src.errors import UserError

CONTENT = {"folder/a": b"first", "b": b"second"}
MD5 = {name: hashlib.md5(content).hexdigest() for name, content in CONTENT.items()}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


def put(root, names=tuple(CONTENT), **changed):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(changed.get(name, CONTENT[name]))


def refuse(_part):
    raise AssertionError("nothing is missing")


def unreachable(_part):
    raise ConnectionError("no network")


@pytest.mark.parametrize("checksums", [MD5, SHA256])
def test_files_that_are_there_are_not_fetched(tmp_path, checksums):
    put(tmp_path)
    ensure_files("x", tmp_path, checksums, refuse)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "folder"]


@pytest.mark.parametrize("checksums", [MD5, SHA256])
def test_a_damaged_file_is_named_and_stays(tmp_path, checksums):
    put(tmp_path, b=b"other")
    with pytest.raises(UserError, match=rf"{tmp_path / 'b'} is damaged .*{checksums['b']}.*delete it"):
        ensure_files("x", tmp_path, checksums, refuse)
    assert (tmp_path / "b").read_bytes() == b"other"


def test_missing_files_are_fetched_into_place(tmp_path):
    ensure_files("x", tmp_path / "new", MD5, put)
    assert {name: (tmp_path / "new" / name).read_bytes() for name in CONTENT} == CONTENT
    assert not list((tmp_path / "new").glob(".*"))


def test_only_what_is_missing_is_replaced(tmp_path):
    put(tmp_path, ["b"])
    before = (tmp_path / "b").stat().st_ino
    ensure_files("x", tmp_path, MD5, put)
    assert (tmp_path / "b").stat().st_ino == before
    assert (tmp_path / "folder" / "a").read_bytes() == b"first"


def test_no_network_is_one_message_and_leaves_nothing(tmp_path):
    root = tmp_path / "new"
    words = rf"dataset=x: {root}/folder/a and 1 more files missing, .*: no network\. Do this, or choose dataset=digits"
    with pytest.raises(UserError, match=words):
        ensure_files("x", root, MD5, unreachable, "Do this")
    assert not list(tmp_path.iterdir())


def test_fetched_files_are_checked(tmp_path):
    with pytest.raises(UserError, match=r"dataset=x: .*b as fetched has checksum"):
        ensure_files("x", tmp_path / "new", MD5, lambda part: put(part, b=b"other"))
    with pytest.raises(UserError, match="b was not among what was fetched"):
        ensure_files("x", tmp_path / "new", MD5, lambda part: put(part, ["folder/a"]))
    assert not list(tmp_path.iterdir())


def test_a_root_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=rf"dataset.root={root} cannot be written .*another folder"):
            ensure_files("x", root, MD5, put)


def test_leftovers_of_a_killed_process_go_those_of_other_data_sets_stay(tmp_path):
    for name in (".x-1.part", ".y-1.part"):
        (tmp_path / name).mkdir()
    ensure_files("x", tmp_path, MD5, put)
    assert [path.name for path in tmp_path.glob(".*")] == [".y-1.part"]


def test_processes_that_start_together_fetch_once(tmp_path):
    fetched, together = [], threading.Barrier(4)

    def fetch(part):
        fetched.append(part)
        time.sleep(0.2)  # the others see that files are missing, and wait
        put(part)

    def start():
        together.wait()
        ensure_files("x", tmp_path / "new", MD5, fetch)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1
    assert (tmp_path / "new" / "b").read_bytes() == b"second"


def archives(*urls):
    return [Archive(name, md5, urls) for name, md5 in MD5.items()]


def test_archives_of_the_root_are_used_without_leave_to_download(tmp_path):
    put(tmp_path / "root")
    fetch_archives(tmp_path / "part", tmp_path / "root", archives("http://nowhere"), download=False)
    assert {name: (tmp_path / "part" / name).read_bytes() for name in CONTENT} == CONTENT
    with pytest.raises(OSError, match="downloading is off"):
        fetch_archives(tmp_path / "part", tmp_path / "empty", archives("http://nowhere"), download=False)


def test_damaged_archives_of_the_root_are_downloaded_from_the_first_good_address(tmp_path):
    put(tmp_path / "root", b=b"other")
    (tmp_path / "good").write_bytes(CONTENT["b"])
    (tmp_path / "bad").write_bytes(b"bad")
    urls = [(tmp_path / name).as_uri() for name in ("nowhere", "bad", "good")]
    fetch_archives(tmp_path / "part", tmp_path / "root", archives(*urls), download=True)
    assert (tmp_path / "part" / "b").read_bytes() == b"second"


def test_no_good_address_is_the_first_ones_error(tmp_path):
    (tmp_path / "bad").write_bytes(b"bad")
    urls = [(tmp_path / name).as_uri() for name in ("bad", "nowhere")]
    with pytest.raises(OSError, match=rf"{urls[0]} gave a file with checksum .*, published is {MD5['folder/a']}"):
        fetch_archives(tmp_path / "part", tmp_path / "root", archives(*urls), download=True)


def test_archives_are_unpacked_beside_themselves(tmp_path):
    put(tmp_path / "made")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "made" / "folder", "folder")
    (tmp_path / "b.gz").write_bytes(gzip.compress(CONTENT["b"]))
    found = [Archive(n, hashlib.md5((tmp_path / n).read_bytes()).hexdigest(), ()) for n in ("x.tar.gz", "b.gz")]
    fetch_archives(tmp_path / "part", tmp_path, found, download=False)
    assert {name: (tmp_path / "part" / name).read_bytes() for name in CONTENT} == CONTENT


def test_a_tar_file_writes_nothing_outside(tmp_path):
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        (tmp_path / "a").write_bytes(b"1")
        tar.add(tmp_path / "a", "../../escaped")
    found = [Archive("x.tar.gz", hashlib.md5((tmp_path / "x.tar.gz").read_bytes()).hexdigest(), ())]
    with pytest.raises(OSError, match=r"x\.tar\.gz is damaged"):
        fetch_archives(tmp_path / "deep" / "part", tmp_path, found, download=False)
    assert not (tmp_path / "escaped").exists()
