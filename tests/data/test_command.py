"""python -m src.data NAME [root=FOLDER]"""

import os
import subprocess
import sys

import pytest

from src.data.__main__ import NAMES, main
from src.data.published import Mnist
from tests.data.synthetic import IDX, sha256, write_idx
from tests.support import ROOT


def test_what_there_is_and_where(tmp_path, monkeypatch, capsys):
    raw = tmp_path / "sets" / "MNIST" / "raw"
    write_idx(raw, train=7, test=4)
    monkeypatch.setattr(Mnist, "checksums", {f"MNIST/raw/{name}": sha256(raw / name) for name in IDX})
    monkeypatch.setattr(Mnist, "content", None)
    assert main(["mnist", f"root={tmp_path / 'sets'}"]) == 0
    assert capsys.readouterr().out == f"mnist: 7 training and 4 test images of 1x28x28 in 10 classes, in {raw}\n"


def test_as_a_module_that_writes_nothing_and_imports_only_what_it_uses(tmp_path):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "src.data", "digits"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "digits: 1500 training and 297 test images of 1x8x8 in 10 classes" in result.stdout
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "torch" in imported
    assert not imported & {"sklearn", "scipy", "torchvision", "pandas", "PIL", "torch._dynamo"}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["cifar10", "folder", "imagenet", "../dataset/digits"])
def test_what_cannot_be_had_is_one_line(tmp_path, capsys, name):
    assert main([name, f"root={tmp_path / 'sets'}"]) == 1
    out, error = capsys.readouterr()
    assert not out
    assert error.startswith(f"error: dataset.root={tmp_path}" if name == "folder" else f"error: dataset={name}")
    assert error.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["digits", "mnist"], ["digits", "size=3"], ["--zzz"]])
def test_other_arguments_show_the_usage(capsys, arguments):
    assert main(arguments) == 2
    assert "usage: python -m src.data NAME [root=FOLDER]" in capsys.readouterr().err


def test_help_names_every_data_set(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in NAMES)
