"""What the documents say of the library: the reference is built from it, the axioms are its own."""

import doctest
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from src.library.hurley_rickard import AXIOMS, MEASURES
from tests.support import ROOT

GUIDE = (ROOT / "docs" / "library.md").read_text("utf-8")
MODULES = ("hurley_rickard", "masks", "pruning")


def test_the_table_of_axioms():
    rows = re.findall(r"^\| `(\w+)` \|((?: ✓? \|){6})$", GUIDE, flags=re.M)
    told = {name: [cell.strip() == "✓" for cell in cells.split("|")[:-1]] for name, cells in rows}
    assert told == {name: [axiom in measure.axioms for axiom in AXIOMS] for name, measure in MEASURES.items()}


def test_the_reference_is_built_without_warnings(wheel: Path, tmp_path: Path):
    pytest.importorskip("pdoc")
    (words,) = re.findall(r"^ {4}python (-m pdoc .*)$", GUIDE, flags=re.M)
    command = [sys.executable, "-W", "error::UserWarning", *words.replace("docs/api", str(tmp_path)).split()]
    paths = os.pathsep.join([str(wheel), os.environ.get("PYTHONPATH", "")])  # Python imports from archives
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "pqindex.html").read_text("utf-8")
    assert "I_{p,q}(w) = 1 - d^(1/q - 1/p)" in text
    assert all(f'id="{name}"' in text for name in ("measure", "prune_step", "Masks.flops", "Sap"))
    assert (tmp_path / "pqindex" / "library" / "hurley_rickard.html").is_file()


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_say_what_is(name):
    module = importlib.import_module(f"src.library.{name}")
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed
