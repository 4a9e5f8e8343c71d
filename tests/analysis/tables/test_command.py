"""`python -m src.tables`: files, what is named as missing, and bad input."""

import csv

import pytest

from src import figures, report
from src.tables import main
from tests.analysis.synthetic import FOUR, Spec, base_specs, write_runs

NAMES = {"accuracy", "compression", "cost", "equal_sparsity", "given_back", "compared", "claims"}


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_runs_that_were_not_pruned_are_in_the_tables(tmp_path):
    write_runs(tmp_path, [Spec(FOUR[0], seed, iterations=t) for seed in range(3) for t in (0, 1)])
    for command in (main, report.main):
        assert command([f"output_dir={tmp_path}"]) == 0
    assert (
        figures.main([f"output_dir={tmp_path}", "figure=prune,errors", "formats=svg", "incomplete=draw", "workers=1"])
        == 0
    )


def test_all_tables_in_three_formats(tmp_path, capsys):
    write_runs(tmp_path, base_specs("cifar10", "cnn", seeds=range(3), scopes=("neuron", "layer", "global")))
    assert main([f"output_dir={tmp_path}"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 3 * len(NAMES)
    assert printed.err == ""
    folder = tmp_path / "tables"
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{ext}" for name in NAMES for ext in ("csv", "md", "tex")
    }
    assert len(rows(folder / "accuracy.csv")) == 12
    cost = rows(folder / "cost.csv")[0]
    assert 0 < float(cost["final_kflops_mean"]) < float(cost["dense_kflops_mean"])
    verdicts = {(row["scope"], row["subject"]): row["verdict"] for row in rows(folder / "claims.csv")}
    assert set(verdicts.values()) <= {"holds", "fails", "inconclusive"}
    assert ("neuron", "SAP (p=0.5, q=1.0) against One Shot (P=0.2)") in verdicts


def test_the_same_records_give_the_same_files(tmp_path):
    write_runs(tmp_path, base_specs("cifar10", "cnn", seeds=range(3)))
    for name in ("one", "two"):
        main([f"output_dir={tmp_path}", f"destination={tmp_path / name}"])
    first, second = ([p.read_bytes() for p in sorted((tmp_path / name).iterdir())] for name in ("one", "two"))
    assert first == second


def test_a_missing_seed_and_a_half_finished_run_are_named_with_their_commands(tmp_path, capsys):
    specs = [Spec(m, s) for m in FOUR for s in (0, 1) if (m["name"], s) != ("one_shot", 1)]
    write_runs(tmp_path, [*specs, Spec(FOUR[2], seed=2, status="failed")])
    assert main([f"output_dir={tmp_path}"]) == 0
    told = capsys.readouterr().err
    assert "One Shot (P=0.2), scope global, seeds 1, 2: no run; make with" in told
    assert "prune=one_shot" in told
    assert "has failed at 3 of 31 iterations" in told


@pytest.mark.parametrize(
    ("specs", "arguments", "message"),
    [
        ([], [], "python -m src.main experiment=quickstart"),
        ([Spec(FOUR[0], schema=7)], [], "records of schema 7"),
        ([Spec(FOUR[0], status="running")], [], "is not finished at 3 of 31 iterations"),
        ([Spec(FOUR[0])], ["model=mlp"], "cifar10, cnn, T=30"),
        ([Spec(FOUR[0])], ["modle=cnn"], "did you mean model"),
        ([Spec(FOUR[0])], ["cnn"], "is not key=value"),
    ],
)
def test_bad_input_is_one_message(tmp_path, capsys, specs, arguments, message):
    write_runs(tmp_path, specs)
    assert main([f"output_dir={tmp_path}", *arguments]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert message in told
    assert not (tmp_path / "tables").exists()
