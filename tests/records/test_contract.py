"""What a run writes is what readers read."""

import csv
import json

import pytest
import yaml

from src.analysis.figures.single_run import run_figure
from src.records.library import load_library, run_words
from src.records.run import Run
from src.records.schema import HEADLINE
from src.records.study import studies
from src.sparsity import P_GRID, Q_GRID, grid_index
from tests.analysis.synthetic import Spec, write_run
from tests.support import command_line, folder_of


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """Lottery ticket on digits, T = 2, pruned by layer."""
    output_dir = tmp_path_factory.mktemp("contract")
    done = command_line(
        "dataset=digits", "model=mlp", "trainer=smoke", "prune=lottery_ticket", "prune.iterations=2", "seed=7",
        "prune.scope=layer", "record.picture=true", f"output_dir={output_dir}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (found,) = load_library(output_dir).finished
    assert found.folder == folder_of(done)
    return found


def test_a_stored_run_is_read_back(run):
    assert (run.dataset, run.model, run.scope, run.seed, run.iterations) == ("digits", "mlp", "layer", 7, 2)
    assert (run.method.kind, run.method.short, run.method.label) == (
        "lottery_ticket",
        "lt-0.2",
        "Lottery Ticket (P=0.2)",
    )
    assert run.method.settings["ratio"] == 0.2
    assert run.table["iteration"].tolist() == [0, 1, 2]
    assert run.layers["remaining"].sum(1).tolist() == run.table["remaining"].tolist()
    assert [tuple(axis) for axis in run.grid_axes] == [P_GRID, Q_GRID]
    place = grid_index(*HEADLINE)
    assert run.grid("retrained", 2)[place] == run.table["retrained_pqi"][2]
    assert run.layer_grids("pruned").shape == (2, len(run.layers.names), 10, 11)


def test_the_command_that_a_reader_prints_makes_such_a_run(run):
    (study,) = studies([run])
    words = run_words(study, "layer", run.method, [7])
    again = command_line(*words, "--dry-run")
    assert again.returncode == 0, again.stderr
    assert "finished" in again.stdout
    assert "missing" not in again.stdout


def test_the_picture_is_drawn_by_the_run_itself(run, tmp_path):
    assert (run.folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert run_figure(run.folder, tmp_path / "again.png").read_bytes() == (run.folder / "curves.png").read_bytes()


def test_made_up_runs_have_the_columns_and_keys_of_stored_ones(run, tmp_path):
    made_up = write_run(tmp_path, Spec({"name": "lottery_ticket", "ratio": 0.2}))
    for name in ("iterations.csv", "layers.csv"):
        stored, synthetic = (_columns(folder / name) for folder in (run.folder, made_up))
        assert set(synthetic) <= set(stored)
    stored, synthetic = (json.loads((folder / "run.json").read_text()) for folder in (run.folder, made_up))
    assert synthetic.keys() <= stored.keys()
    config = yaml.safe_load((run.folder / "config.yaml").read_text())
    assert {config[section]["name"] for section in ("dataset", "model", "prune", "trainer")} == {
        "digits", "mlp", "lottery_ticket", "smoke",
    }  # fmt: skip


def _columns(path):
    with path.open(newline="") as file:
        return next(csv.reader(file))
