"""Offline runs, read back from what W&B wrote."""

from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from src.tracking.tracker import Tracker, open_tracker
from tests.tracking.examples import CONFIG, ROWS, epoch_row, info, layers, write_iterations
from tests.tracking.offline_log import offline_runs, read_log


@pytest.fixture(autouse=True)
def _no_wandb_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_DIR", "WANDB_RUN_ID", "WANDB_PROJECT", "WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)


def test_a_whole_run_is_mirrored(tmp_path: Path):
    tracker = open_tracker("offline", info(tmp_path))
    for t, row in enumerate(ROWS):
        for epoch in range(2):
            tracker.log_epoch(epoch_row(t, epoch))
        tracker.log_iteration(row, layers(t))
    figure = tmp_path / "panel.png"
    plt.figure().savefig(figure)
    tracker.log_records(write_iterations(tmp_path / "iterations.csv"))
    tracker.log_figures([figure, tmp_path / "panel.pdf"])
    tracker.finish("finished")

    (part,) = offline_runs(tmp_path)
    logged = read_log(part)
    assert (logged.run.run_id, logged.run.run_group, logged.run.job_type) == ("1a2b3c4d", "quickstart", "prune")
    assert list(logged.run.tags) == ["fashion_mnist", "mlp"]
    assert {key: logged.config[key] for key in CONFIG} == CONFIG
    assert logged.axes["retrained/pqi"] == "iteration"
    assert logged.axes["by_percent_remaining/retrained/pqi"] == "percent_remaining"
    assert logged.axes["layer/*"] == "iteration"
    assert logged.column("iteration") == [0, 1, 2]
    assert logged.column("percent_remaining") == [100.0, 90.0, 80.0]
    assert logged.column("by_percent_remaining/retrained/pqi") == [0.0, 0.1, 0.2]
    assert logged.column("pruned/pqi") == [0.2, 0.2]
    assert logged.column("layer/blocks.0.weight/pqi") == [0.3, 0.3, 0.3]
    assert logged.column("epoch") == [1, 2, 3, 4, 5, 6]
    (table,) = logged.column("records")
    assert (table["_type"], table["ncols"], table["nrows"]) == ("table-file", len(ROWS[0]), 3)
    (image,) = logged.column("figures/panel")
    assert image["_type"] == "image-file"
    assert (part / "files" / image["path"]).is_file()
    assert logged.exit_code == 0


def test_long_names_stay_within_what_wandb_takes_and_apart(tmp_path: Path):
    about = replace(info(tmp_path), name="n" * 129, group="g" * 129, tags=["t" * 65, "t" * 66])
    open_tracker("offline", about).finish("finished")
    run = read_log(offline_runs(tmp_path)[0]).run
    assert (len(run.display_name), len(run.run_group)) == (128, 128)
    assert [len(tag) for tag in set(run.tags)] == [64, 64]


def test_the_summary_is_of_the_whole_run(tmp_path: Path):
    accuracies = [90, 91.5, 89.2, 60]
    rows = [{**ROWS[0], "iteration": t, "percent_remaining": 100 / 10**t, "retrained_accuracy": a}
            for t, a in enumerate(accuracies)]  # fmt: skip
    first = open_tracker("offline", info(tmp_path))
    first.log_iteration(rows[0], [])
    first.finish("failed")
    second = open_tracker("offline", info(tmp_path))
    for row in rows:
        second.log_iteration(row, [])
    second.finish("finished")
    found = read_log(offline_runs(tmp_path)[-1]).summary
    expected = {
        "dense/accuracy": 90, "best/accuracy": 91.5, "best/iteration": 1, "last/accuracy": 60, "lost/accuracy": 30,
        "within_a_point/percent_remaining": 1, "within_a_point/accuracy": 89.2, "accuracy_at": 91.5,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_a_run_without_an_experiment_is_in_the_sweeps_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WANDB_RUN_GROUP", "seed=0,1")
    for name, group in (("one", None), ("two", "fig2")):
        open_tracker("offline", replace(info(tmp_path / name), group=group)).finish("finished")
    groups = [read_log(offline_runs(tmp_path / name)[0]).run.run_group for name in ("one", "two")]
    assert groups == ["seed=0,1", "fig2"]


def test_a_resumed_run_keeps_its_id_and_logs_nothing_twice(tmp_path: Path):
    first = open_tracker("offline", info(tmp_path))
    first.log_epoch(epoch_row(0, 0))
    first.log_epoch(epoch_row(0, 1))
    first.log_iteration(ROWS[0], layers(0))
    first.log_epoch(epoch_row(1, 0))
    first.finish("failed")
    second = open_tracker("offline", info(tmp_path))
    for row in ROWS[:1]:
        second.log_iteration(row, layers(0))
    for epoch in range(2):
        second.log_epoch(epoch_row(1, epoch))
    second.log_iteration(ROWS[1], layers(1))
    second.finish("finished")

    before, after = (read_log(part) for part in offline_runs(tmp_path))
    assert before.run.run_id == after.run.run_id == "1a2b3c4d"
    assert (before.exit_code, after.exit_code) == (1, 0)
    assert before.column("iteration") + after.column("iteration") == [0, 1]
    assert before.column("epoch") + after.column("epoch") == [1, 2, 3, 4]
    assert before.column("_step") + after.column("_step") == [0, 1, 2, 3, 4, 5]


def test_what_a_killed_process_may_not_have_written_is_sent_again(tmp_path: Path):
    killed = open_tracker("offline", info(tmp_path))
    killed.log_iteration(ROWS[0], layers(0))
    killed._tracker.result()._run.finish()  # and the tracker never hears that it is written
    after = open_tracker("offline", info(tmp_path))
    for t, row in enumerate(ROWS):
        after.log_iteration(row, layers(t))
    after.finish("finished")
    assert read_log(offline_runs(tmp_path)[-1]).column("iteration") == [0, 1, 2]


def test_runs_of_one_process_do_not_mix(tmp_path: Path):
    trackers = {name: open_tracker("offline", info(tmp_path / name, run_id=name)) for name in ("one", "two")}
    trackers["one"].log_iteration(ROWS[0], [])
    trackers["two"].log_iteration(ROWS[1], [])
    trackers["one"].finish("finished")
    trackers["two"].log_iteration(ROWS[2], [])
    trackers["two"].finish("finished")
    parts = {name: read_log(offline_runs(tmp_path / name)[0]) for name in trackers}
    assert parts["one"].column("iteration") == [0]
    assert parts["two"].column("iteration") == [1, 2]


@pytest.mark.parametrize(
    ("mode", "variable", "kept"),
    [("none", "", False), ("none", "online", False), ("offline", "disabled", False), ("wandb", "offline", True)],
)
def test_the_variable_has_the_last_word(tmp_path, monkeypatch, mode, variable, kept):
    monkeypatch.setenv("WANDB_MODE", variable)
    tracker = open_tracker(mode, info(tmp_path))
    tracker.log_iteration(ROWS[0], layers(0))
    tracker.finish("finished")
    assert (type(tracker) is Tracker) is not kept
    assert bool(offline_runs(tmp_path)) is kept


def test_a_mirror_that_breaks_does_not_break_the_run(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    tracker = open_tracker("offline", info(tmp_path))
    tracker.log_records(tmp_path / "missing.csv")
    tracker.log_figures([tmp_path / "missing.png"])
    tracker.log_iteration(ROWS[0], [])
    tracker.finish("finished")
    (line,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert "misses a part of this run (FileNotFoundError" in line
    assert read_log(offline_runs(tmp_path)[0]).column("iteration") == [0]
