"""What goes wrong in or around Weights & Biases costs one line, and harms no other run."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import wandb

from src.config.schema import TrackingConfig
from src.tracking import background, wandb_run, wandb_tracker
from src.tracking.tracker import UNTOLD, Tracker, open_tracker
from tests import support
from tests.support import command_line, folder_of
from tests.tracking.examples import ROWS, info
from tests.tracking.fake_wandb import fake_server
from tests.tracking.offline_log import offline_runs, read_log


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """W&B reads variables and settings anew, and waits for nothing that an earlier test tried."""
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_RUN_ID", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_SWEEP_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(wandb_run, "_online_again_at", 0.0)
    monkeypatch.setattr(background, "_in_vain", [])
    caplog.set_level(logging.INFO, "src")
    wandb.teardown()
    yield
    wandb_run.begin_anew()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelname == "WARNING"]


def mirror(folder: Path, mode: str = "offline", run_id: str = "1a2b3c4d") -> Tracker:
    tracker = open_tracker(mode, info(folder, run_id=run_id))
    tracker.log_iteration(ROWS[0], [])
    return tracker


def iterations(folder: Path) -> list[int]:
    return read_log(offline_runs(folder)[-1]).column("iteration")


def test_a_run_that_does_not_begin_online_begins_offline_and_ends_no_other(tmp_path, monkeypatch, caplog):
    with fake_server() as server:
        server.refused = {"two"}
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
        trackers = [mirror(tmp_path / name, "wandb", name) for name in ("one", "two")]
        for tracker in trackers:
            tracker.log_iteration(ROWS[1], [])
            tracker.finish("finished")
    assert [row["iteration"] for row in server.history] == [0, 1]
    assert server.exit_codes == [0]
    assert iterations(tmp_path / "two") == [0, 1]
    assert "a run that was deleted" in caplog.text
    assert warnings(caplog) == []


class Online:
    """A run of W&B's that is online, as far as a tracker asks; `fails`: what it is told is not taken."""

    offline, step, id = False, 0, "1a2b3c4d"

    def __init__(self, url: str, fails: bool) -> None:
        self.settings = SimpleNamespace(base_url=url, sync_file="none")
        self.summary: dict[str, Any] = {}
        self.fails = fails
        self.exit_codes: list[int] = []

    def define_metric(self, name: str, step_metric: str | None) -> None:
        pass

    def log(self, values: dict[str, Any], step: int, commit: bool) -> None:
        if self.fails:
            raise FileNotFoundError("gone.png")

    def finish(self, exit_code: int) -> None:
        self.exit_codes.append(exit_code)


@pytest.mark.parametrize("answers", [True, False])
def test_only_a_server_that_does_not_answer_is_no_network(tmp_path, monkeypatch, caplog, answers):
    with fake_server() as server:
        server.alive = answers
        runs = [Online(server.url, fails=True), Online(server.url, fails=False)]
        waiting = iter(runs)
        monkeypatch.setattr(wandb_tracker, "begin", lambda *_: next(waiting))
        first, second = (mirror(tmp_path, "wandb") for _ in runs)
        first.finish("finished")
        second.finish("failed")
    assert [run.exit_codes for run in runs] == ([[0], [1]] if answers else [[], []])
    lines = warnings(caplog)
    if answers:
        assert lines == [
            "Weights & Biases misses a part of this run (FileNotFoundError: gone.png); its own records are complete"
        ]
    else:
        assert ["gone.png" in lines[0], "no connection a moment ago" in lines[1]] == [True, True]


@pytest.mark.parametrize("status", ["interrupted", "finished"])
def test_a_hanging_process_of_wandbs_is_waited_for_once(tmp_path, monkeypatch, caplog, status):
    hangs = threading.Event()

    class Hanging(Tracker):
        def finish(self, status: str) -> None:
            hangs.wait(5)

    monkeypatch.setattr(wandb_tracker, "opened", lambda *_, **__: Hanging())
    monkeypatch.setattr(background, "PATIENCE_S", 0.2)
    for limit in ("INIT_TIMEOUT_S", "FINISH_TIMEOUT_S", "MARGIN_S"):
        monkeypatch.setattr(background, limit, 0.1)
    trackers = [open_tracker("offline", info(tmp_path)) for _ in range(4)]
    started = time.monotonic()
    try:
        for tracker in trackers:
            tracker.finish(status)
        assert time.monotonic() - started < 0.7
        assert len(warnings(caplog)) == 1
    finally:
        hangs.set()
    background._thread().submit(lambda: None).result()
    trackers[0].finish(status)  # it answers again, and is waited for again
    assert len(warnings(caplog)) == 1


def test_after_the_death_of_wandbs_process_runs_are_mirrored_by_another(tmp_path, caplog):
    first = mirror(tmp_path / "one", run_id="one")
    first._tracker.result()
    wandb.setup().assert_service()._proc._process.kill()
    wandb.setup().assert_service()._proc.join()
    time.sleep(0.2)
    first.finish("finished")
    (line,) = warnings(caplog)
    assert "Error" in line
    mirror(tmp_path / "two", run_id="two").finish("finished")
    assert iterations(tmp_path / "two") == [0]
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize(("asked", "kept"), [("disabled", False), ("offline", True)])
def test_the_mode_of_wandbs_own_commands_counts(tmp_path, caplog, asked, kept):
    """`wandb disabled` and `wandb offline` write it to the file of settings."""
    (tmp_path / "settings").write_text(f"[default]\nmode = {asked}\n")
    mirror(tmp_path, "wandb").finish("finished")
    assert (tmp_path / "wandb").exists() is bool(offline_runs(tmp_path)) is kept
    lines = [record.message for record in caplog.records if record.name.startswith("src.")]
    assert [line.split(";")[0] for line in lines] == ["Weights & Biases is offline"] * kept


def test_variables_and_settings_of_wandbs_count_where_ours_are_left(tmp_path, monkeypatch):
    default = TrackingConfig.project
    assert wandb_run.destination(default, None) == (default, None)
    wandb.teardown()
    (tmp_path / "settings").write_text("[default]\nentity = team\nproject = file\n")
    monkeypatch.setenv("WANDB_PROJECT", "variable")
    assert wandb_run.destination(default, None) == ("variable", "team")
    assert wandb_run.destination("mine", "me") == ("mine", "me")
    mirror(tmp_path).finish("finished")
    run = read_log(offline_runs(tmp_path)[0]).run
    assert (run.project, run.entity) == ("variable", "team")


def test_the_line_names_the_parts_that_there_are(tmp_path):
    def line() -> str:
        return wandb_run.offline_line(info(tmp_path), "", tmp_path).split("upload ")[1]

    assert line() == f"all runs: wandb sync {tmp_path}/*/wandb/offline-run-*"
    (tmp_path / "one" / "wandb" / "run-20260101_000000-1").mkdir(parents=True)
    assert line() == f"all runs: wandb sync --include-online {tmp_path}/*/wandb/*run-*"


def test_under_an_agent_the_run_is_the_agents(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep")
    monkeypatch.setenv("WANDB_RUN_ID", "theirs")
    mirror(tmp_path).finish("finished")
    (part,) = offline_runs(tmp_path)
    assert part.name.endswith("-theirs")
    assert "/wandb/*-theirs" in caplog.text
    assert [path.name for path in (tmp_path / "wandb").glob("*.step")] == ["theirs.step"]


def test_a_finished_run_is_told_once_to_its_end_and_to_every_agent(tmp_path, monkeypatch):
    """Its process was stopped while it waited for W&B; an agent waits for the run that it began."""
    monkeypatch.setattr(support, "QUIET", ("device=cpu",))
    words = ["model=linear", "dataset=digits", "trainer=smoke", "prune.iterations=1", "record.picture=false"]

    def made() -> Path:
        return folder_of(command_line(*words, "tracking=offline", f"output_dir={tmp_path}"))

    folder = made()
    made()
    assert len(offline_runs(folder)) == 1
    (step,) = (folder / "wandb").glob("*.step")
    step.rename(step.with_suffix(UNTOLD)).write_text("")
    made()
    made()
    first, second = (read_log(part) for part in offline_runs(folder))
    same = ("iteration", "epoch", "retrained/accuracy", "layer/classifier.weight/pqi", "_step")
    assert [first.column(name) for name in same] == [second.column(name) for name in same]
    assert len(second.column("records")) == 1
    assert (second.exit_code, second.run.run_id) == (0, first.run.run_id)
    assert first.config["method"] == second.config["method"]
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep")
    monkeypatch.setenv("WANDB_RUN_ID", "theirs")
    wandb.teardown()
    made()
    (theirs,) = (folder / "wandb").glob("offline-run-*-theirs")
    assert read_log(theirs).column("iteration") == [0, 1]
    assert read_log(theirs).summary["last/accuracy"] == first.summary["last/accuracy"]


def test_a_sweep_tells_its_finished_runs_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(support, "QUIET", ("device=cpu",))
    words = ["model=linear", "dataset=digits", "trainer=smoke", "prune.iterations=1", "record.picture=false"]
    words += ["seed=0,1", "tracking=offline", f"output_dir={tmp_path}", "-m"]
    assert command_line(*words).returncode == 0
    untold, told = sorted((tmp_path / "runs").iterdir())
    (step,) = (untold / "wandb").glob("*.step")
    step.rename(step.with_suffix(UNTOLD)).write_text("")
    assert command_line(*words).returncode == 0
    assert [len(offline_runs(folder)) for folder in (untold, told)] == [2, 1]
    assert not list((untold / "wandb").glob(f"*{UNTOLD}"))
