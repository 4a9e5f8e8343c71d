"""The examples of the library do what they say; the notebook's cells run in their order."""

import json
import re
import runpy

import matplotlib.pyplot as plt
import pytest

from tests.support import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["example"])


def test_sap_in_your_own_loop(capsys):
    runpy.run_path(str(EXAMPLES / "sap_in_your_loop.py"))
    lines = re.findall(r"(\d+) of 4352 weights, accuracy +([\d.]+) %, PQ Index ([\d.]+)", capsys.readouterr().out)
    alive, accuracy, pqi = ([float(line[i]) for line in lines] for i in range(3))
    assert len(lines) == 8
    assert alive[0] == 4352
    assert alive[-1] < 2600
    assert min(accuracy) > 90
    assert pqi[-1] < pqi[0] / 2


def test_pqi_of_a_checkpoint(capsys):
    runpy.run_path(str(EXAMPLES / "pqi_of_a_checkpoint.py"))
    output = capsys.readouterr().out
    assert re.findall(r"^(\d)\.weight", output, flags=re.M) == ["4", "2", "0"]
    assert output.splitlines()[-1] == "all: 5,360 weights, PQ Index 0.1369, SAP 11.4 %"


def test_pqi_along_the_training_of_a_transformer(capsys):
    runpy.run_path(str(EXAMPLES / "pqi_along_training.py"))
    head, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert len(head) == 2 + 8
    assert [row[0] for row in rows] == ["0", "25", "50", "75", "100"]
    assert float(rows[-1][1]) < 1 < float(rows[0][1])
    assert all(float(last) > float(first) for first, last in zip(rows[0][2:], rows[-1][2:], strict=True))


def test_the_notebook():
    notebook = json.loads((EXAMPLES / "how_compressible.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for cell in cells:
        exec(compile(cell, "how_compressible.ipynb", "exec"), names)
    plt.close("all")
    assert len(cells) == 4
    assert names["masks"].alive < names["masks"].total
