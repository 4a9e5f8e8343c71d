"""The same files from a folder and from a zip file."""

from zipfile import ZipFile

import pytest

from src.data.image_tree import FolderTree, ZipTree


@pytest.fixture(params=["folder", "zip", "zip without a top folder"])
def tree(request, tmp_path):
    (tmp_path / "top" / "list" / "deep").mkdir(parents=True)
    (tmp_path / "top" / "names.txt").write_bytes(b"a\n")
    (tmp_path / "top" / "list" / "one").write_bytes(b"1")
    (tmp_path / "top" / "list" / "two").write_bytes(b"2")
    (tmp_path / "top" / "list" / "deep" / "names.txt").write_bytes(b"not the root\n")
    if request.param == "folder":
        return FolderTree(tmp_path / "top")
    base = tmp_path if request.param == "zip" else tmp_path / "top"
    with ZipFile(tmp_path / "x.zip", "w") as archive:
        for path in sorted((tmp_path / "top").rglob("*")):
            archive.write(path, path.relative_to(base))
    return ZipTree(tmp_path / "x.zip", "names.txt")


def test_names_and_content(tree):
    assert {"one", "two"} <= set(tree.names("list"))
    assert tree.names("list/deep") == ["names.txt"]
    assert tree.read("names.txt") == b"a\n"
    assert tree.read("list/two") == b"2"


def test_what_is_not_there(tree):
    with pytest.raises(OSError, match="nowhere"):
        tree.names("nowhere")
    with pytest.raises(OSError, match="list/three"):
        tree.read("list/three")


def test_a_zip_file_without_the_root_file(tmp_path):
    with ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a", b"1")
    with pytest.raises(OSError, match=r"holds no names\.txt"):
        ZipTree(tmp_path / "x.zip", "names.txt")
