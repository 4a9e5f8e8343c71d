"""Packed runs come back as they were, without what tells of the machine."""

import gzip
import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from src.archive import main, pack, unpack, without_folders
from src.errors import UserError
from src.records.library import load_library
from src.records.study import Study, studies
from src.store.locks import acquire, run_lock
from tests.support import command_line


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("home of somebody")
    command_line("model=mlp", "dataset=digits", "trainer=smoke", "prune.iterations=2", "seed=0,1", "-m",
                 "tracking=none", f"output_dir={folder}", "record.networks=false", "record.masks=none")  # fmt: skip
    return studies(load_library(folder).runs)[0]


def test_packed_runs_come_back(study: Study, tmp_path: Path) -> None:
    pack(study, tmp_path / "packed")
    unpack(tmp_path / "packed", tmp_path / "again")
    library = load_library(tmp_path / "again")
    assert not library.problems
    (again,) = studies(library.runs)
    assert [run.name for run in again.runs] == [run.name for run in study.runs]
    assert len(again.runs) == 2
    for ours, theirs in zip(again.runs, study.runs, strict=True):
        for name in ("iterations.csv", "layers.csv"):
            assert (ours.folder / name).read_bytes() == (theirs.folder / name).read_bytes()
        for t in range(3):
            np.testing.assert_allclose(ours.grid("retrained", t), theirs.grid("retrained", t), atol=1e-6)
        np.testing.assert_array_equal(ours.layer_grids("retrained"), theirs.layer_grids("retrained"))
        assert ours.grid_axes[0].tolist() == theirs.grid_axes[0].tolist()
        assert ours.method == theirs.method


def test_nothing_tells_of_the_machine(study: Study, tmp_path: Path) -> None:
    pack(study, tmp_path / "packed")
    for path in (tmp_path / "packed").iterdir():
        data = path.read_bytes()
        assert b"home of somebody" not in (gzip.decompress(data) if path.suffix == ".gz" else data)
    line = json.loads(gzip.decompress((tmp_path / "packed" / "runs.jsonl.gz").read_bytes()).splitlines()[0])
    assert line["config"]["output_dir"] == "outputs"
    assert line["run"]["provenance"]["torch"]


def test_a_changed_digit_is_found(study: Study, tmp_path: Path) -> None:
    pack(study, tmp_path / "packed")
    table = tmp_path / "packed" / "iterations.csv.gz"
    text = gzip.decompress(table.read_bytes()).decode()
    at = text.rindex(",100.0,")
    table.write_bytes(gzip.compress((text[:at] + ",100.1," + text[at + 7 :]).encode()))
    with pytest.raises(UserError, match="not those that were recorded"):
        unpack(tmp_path / "packed", tmp_path / "again")
    assert not list((tmp_path / "again" / "runs").glob("*seed1*/*"))


def test_an_edit_that_is_to_be_kept_is_packed(study: Study, tmp_path: Path) -> None:
    """As docs/reliability.md says: without the table's entry in `files`, and without `sha256`."""
    shutil.copytree(study.runs[0].output_dir, tmp_path / "own")
    folder = tmp_path / "own" / "runs" / study.runs[0].name
    table, state = folder / "iterations.csv", json.loads((folder / "run.json").read_text())
    edited = table.read_text().replace(",100.0,", ",99.5,", 1)
    table.write_text(edited.rstrip("\n"), newline="\r\n")
    del state["files"]["iterations.csv"], state["sha256"]
    (folder / "run.json").write_text(json.dumps(state))
    words = [f"output_dir={tmp_path / 'own'}", f"destination={tmp_path / 'packed'}"]
    assert main(["pack", *words]) == 0
    assert main(["unpack", f"output_dir={tmp_path / 'again'}", words[1]]) == 0
    assert (tmp_path / "again" / "runs" / folder.name / "iterations.csv").read_text() == edited
    assert not load_library(tmp_path / "again").problems


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_there_is_left_as_it_is(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own"
    shutil.copytree(study.runs[0].output_dir / "runs", own / "runs")
    assert main(["pack", f"output_dir={own}"]) == 0
    kept, gone = (own / "runs" / run.name for run in study.runs)
    shutil.rmtree(gone)
    before = contents(kept)
    capsys.readouterr()
    assert main(["unpack", f"output_dir={own}"]) == 0
    told = capsys.readouterr()
    assert contents(kept) == before
    assert (gone / "run.json").exists()
    assert sorted(told.out.split()) == sorted([str(kept), str(gone)])
    assert told.err.splitlines() == [
        f"left as it is: {kept}",
        "1 of 2 runs were there; remove a folder to have its packed run",
    ]
    shutil.rmtree(gone)
    with ExitStack() as held:
        assert acquire(run_lock(gone), held)
        assert main(["unpack", f"output_dir={own}"]) == 0
    assert not gone.exists()


def test_command(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = f"destination={tmp_path / 'packed'}"
    assert main(["pack", f"output_dir={study.runs[0].output_dir}", packed]) == 0
    assert main(["unpack", f"output_dir={tmp_path / 'again'}", packed]) == 0
    assert len(list((tmp_path / "again" / "runs").iterdir())) == 2
    assert main(["unpack", f"output_dir={tmp_path / 'again'}", f"destination={tmp_path / 'again'}"]) == 1
    assert main(["squeeze"]) == 1
    assert "say pack or unpack" in capsys.readouterr().err


def test_runs_that_were_packed_before_stay_packed(study: Study, tmp_path: Path) -> None:
    words = [f"output_dir={study.runs[0].output_dir}", f"destination={tmp_path / 'two'}"]
    assert [main(["pack", *words, f"seed={seed}"]) for seed in (1, 0, 1)] == [0, 0, 0]
    pack(study, tmp_path / "one")
    (two,) = (tmp_path / "two").iterdir()
    assert {path.name: data for path, data in contents(two).items()} == {
        path.name: data for path, data in contents(tmp_path / "one").items()
    }


def test_a_damaged_run_is_left_out(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, words = tmp_path / "own", [f"output_dir={tmp_path / 'own'}", f"destination={tmp_path / 'packed'}"]
    shutil.copytree(study.runs[0].output_dir / "runs", own / "runs")
    measures = own / "runs" / study.runs[0].name / "measures.safetensors"
    measures.write_bytes(measures.read_bytes()[:100])
    assert main(["pack", *words]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"left out: {study.runs[0].name}: measures.safetensors was changed")
    assert main(["unpack", f"output_dir={tmp_path / 'again'}", words[1]]) == 0
    assert [path.name for path in (tmp_path / "again" / "runs").iterdir()] == [study.runs[1].name]


@pytest.mark.parametrize("name", ["runs.jsonl.gz", "iterations.csv.gz", "layers.csv.gz", "grids.npz"])
@pytest.mark.parametrize("damage", ["gone", "short", "flipped", "empty"])
def test_a_damaged_archive_is_named_and_nothing_is_made(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, damage: str
) -> None:
    pack(study, tmp_path / "packed")
    path = tmp_path / "packed" / name
    data = path.read_bytes()
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]
    path.write_bytes({"gone": b"", "short": data[:middle], "flipped": flipped, "empty": b""}[damage])
    if damage == "gone":
        path.unlink()
    assert main(["unpack", f"output_dir={tmp_path / 'again'}", f"destination={tmp_path / 'packed'}"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path if (name, damage) != ("runs.jsonl.gz", "gone") else path.parent) in line
    assert not (tmp_path / "again").exists()


def test_a_packed_name_leads_nowhere_else(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack(study, tmp_path / "packed")
    for path in (tmp_path / "packed").glob("*.gz"):
        text = gzip.decompress(path.read_bytes()).decode()
        path.write_bytes(gzip.compress(text.replace(study.runs[0].name, "../../elsewhere").encode()))
    assert main(["unpack", f"output_dir={tmp_path / 'again'}", f"destination={tmp_path / 'packed'}"]) == 1
    assert "'../../elsewhere' is no run's name" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["packed"]


def test_of_folders_and_files_of_a_machine_no_path_stays() -> None:
    words = ["seed=0", "--config-dir", "/home/me/conf", "init_from=/home/me/a.npz", "output_dir=/x", "dataset.root=/y"]
    assert without_folders([*words, "--config-dir=/z", "prune=sap"]) == ["seed=0", "init_from=a.npz", "prune=sap"]
