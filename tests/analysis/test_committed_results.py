"""What is committed below outputs/paper is what its data give: figures and tables are made again and compared."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src import figures, tables
from src.archive import main as archive
from src.records.packed import read_packed
from src.sweeps.jobs import BadJob, jobs_of
from tests.support import ROOT

PAPER = ROOT / "outputs" / "paper"


def same_table(ours: Path, theirs: Path) -> None:
    """Numbers but for the last digits, which depend on the processor."""
    rows, expected = (list(csv.reader(path.open(newline=""))) for path in (ours, theirs))
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert len(row) == len(wanted)
        for cell, other in zip(row, wanted, strict=True):
            try:
                assert float(cell) == pytest.approx(float(other), rel=1e-6, abs=1e-9)
            except ValueError:
                assert cell == other


def same_picture(ours: Path, theirs: Path) -> None:
    from matplotlib.image import imread

    one, two = (np.asarray(imread(path), np.float64) for path in (ours, theirs))
    assert one.shape == two.shape
    assert np.abs(one - two).mean() < 1e-3


def test_figures_and_tables_of_the_published_curves(tmp_path: Path) -> None:
    committed = PAPER / "published"
    words = ["figure=predicted,unaveraged,rereading", f"destination={tmp_path}", "formats=webp"]
    assert figures.main(words) == 0
    made = {path.relative_to(committed) for path in committed.rglob("*.*")}
    assert len(made) == 13
    for path in made:
        if path.suffix == ".csv":
            same_table(tmp_path / path, committed / path)
        elif path.suffix == ".webp":
            same_picture(tmp_path / path, committed / path)
        else:
            assert (tmp_path / path).read_text() == (committed / path).read_text()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    assert archive(["unpack", f"output_dir={folder}", f"destination={PAPER / 'records'}"]) == 0
    return folder


def chosen(kinds: set[str]) -> str:
    return f"figure={','.join(sorted(kinds))}"


def test_figures_of_the_records(unpacked: Path) -> None:
    kinds = {path.name for path in (PAPER / "figures").iterdir()}
    scopes_beside_each_other = kinds & {"ratio", "layer"}
    for words in ([chosen(kinds - scopes_beside_each_other), "scope=global"], [chosen(scopes_beside_each_other)]):
        assert figures.main([*words, "incomplete=draw", "formats=webp", f"output_dir={unpacked}"]) == 0
    committed = sorted(path.relative_to(PAPER / "figures") for path in (PAPER / "figures").rglob("*.webp"))
    made = sorted(path.relative_to(unpacked / "figures") for path in (unpacked / "figures").rglob("*.webp"))
    assert made == committed
    for path in made:
        same_picture(unpacked / "figures" / path, PAPER / "figures" / path)


def test_tables_of_the_records(unpacked: Path) -> None:
    assert tables.main([f"output_dir={unpacked}"]) == 0
    committed = sorted((PAPER / "tables").glob("*.csv"))
    assert [path.stem for path in committed] == [
        "accuracy",
        "claims",
        "compared",
        "compression",
        "cost",
        "equal_sparsity",
        "given_back",
    ]
    for path in committed:
        same_table(unpacked / "tables" / path.name, path)


WITHOUT_EFFECT = ("dataset.root", "output_dir", "tracking", "threads", "record", "experiment")
"""How words of a record begin that do not say what the run is."""


def test_the_records_are_runs_of_this_code() -> None:
    """Of each combination of parts one: its words make its identity still, so that a user's run is the same run."""
    examples: dict[str, dict[str, Any]] = {}
    for folder in sorted((PAPER / "records").glob("E*/*")):
        for line in read_packed(folder).described.values():
            choices = [f"{group}={name}" for group, name in line["run"]["choices"].items()]
            parts = sorted(choice for choice in choices if not choice.startswith(WITHOUT_EFFECT))
            examples[" ".join(parts)] = line["run"]
    assert len(examples) > 30
    others = []
    for run in examples.values():
        (job,) = jobs_of([word for word in run["overrides"] if not word.startswith(WITHOUT_EFFECT)])
        if isinstance(job, BadJob) or job.run.identity != run["id"]:
            others.append(f"{run['name']} is another run now: if a part of its code must change, train it again")
    assert others == []
