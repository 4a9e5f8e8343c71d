"""What the dashboards show is what a run logs."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from src.records.method import ABLATIONS
from src.tracking.metrics import METRICS
from tests.support import ROOT, process
from tests.tracking.offline_log import Logged, offline_runs, read_log

pytest.importorskip("wandb_workspaces", reason="wandb-workspaces is an extra: pip install '.[dashboard]'")


def run_command(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`python -m src.dashboard` as a user without a login and without a network."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    nowhere = {"WANDB_BASE_URL": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT), "NETRC": os.devnull, "HOME": os.devnull}
    command = [sys.executable, "-m", "src.dashboard", *arguments]
    return subprocess.run(
        command, env={**clean, **nowhere, **env}, capture_output=True, text=True, check=False, cwd=ROOT
    )


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    done = run_command("--spec")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def logged(tmp_path_factory) -> Logged:
    """A run on scikit-learn's digits, mirrored offline."""
    folder = tmp_path_factory.mktemp("run")
    done = process("dataset=digits", "model=mlp", "trainer=smoke", "prune.iterations=1", "tracking=offline",
                        f"output_dir={folder}", WANDB_MODE="offline")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (part,) = offline_runs(Path(done.stdout.splitlines()[-1]))
    return read_log(part)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """All objects inside a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def plots(value: Any, kind: str) -> list[dict[str, Any]]:
    return [found["config"] for found in objects(value) if found.get("viewType") == kind]


def lines(value: Any) -> list[dict[str, Any]]:
    return plots(value, "Run History Line Plot")


@pytest.mark.parametrize("board", ["workspace", "report"])
def test_every_curve_is_logged_and_drawn_against_its_own_axis(spec, logged, board):
    axes = {metric.name: metric.x for metric in METRICS}
    names = {name for row in logged.history for name in row}
    found = lines(spec[board])
    assert len(found) >= 25
    for plot in found:
        for name in plot.get("metrics", ()):
            assert name in names
            assert axes[name] == plot["xAxis"]
            assert logged.axes[name] == plot["xAxis"]


@pytest.mark.parametrize("board", ["workspace", "report"])
def test_layers_are_found_by_pattern(spec, logged, board):
    names = {name for row in logged.history for name in row}
    patterns = [plot["metricRegex"] for plot in lines(spec[board]) if plot.get("useMetricRegex")]
    found = [sorted(name for name in names if re.fullmatch(pattern, name)) for pattern in patterns]
    assert len(found) == 3
    assert all(len(layers) == 3 for layers in found)
    assert len({name for layers in found for name in layers}) == 9


def test_final_values_and_parameters_exist(spec, logged):
    """W&B keeps the last value of every logged metric as the run's summary."""
    names = {name for row in logged.history for name in row}
    columns = [c["accessor"] for plot in plots(spec, "Parallel Coordinates Plot") for c in plot["columns"]]
    assert {c for c in columns if c.startswith("config:")} == {
        f"config:prune.value.{sweep.parameter}" for sweep in ABLATIONS.values()
    }
    summaries = {c.removeprefix("summary:") for c in columns if c.startswith("summary:")}
    assert summaries
    assert summaries <= names


@pytest.mark.filterwarnings("ignore:Pydantic V1 style")
def test_runs_are_grouped_by_all_but_their_seed(spec, logged):
    from src.tracking.boards import SUBJECT

    sections, keys = zip(*(key.split(".") for key in SUBJECT), strict=True)
    assert {"dataset", "model", "prune", "method", "trainer", "protocol"} == set(sections)
    assert {"trainer.epochs", "protocol.name", "prune.iterations"} < set(SUBJECT)  # never averaged together
    assert all(key in logged.config[section] for section, key in zip(sections, keys, strict=True))
    assert logged.config["method"] == {"kind": "sap", "short": "sap-0.5-1-0-1", "label": "SAP (p=0.5, q=1.0)"}
    text = json.dumps(spec)
    assert all(f"{section}.value.{key}" in text for section, key in zip(sections, keys, strict=True))


def test_curves_are_means_with_bands_of_a_standard_deviation(spec):
    assert {(plot["groupAgg"], plot["groupArea"]) for plot in lines(spec)} == {("mean", "stddev")}


def test_a_sweep_varies_one_parameter_of_runs_alike_in_the_others(spec):
    """A sweep's panels are grouped by its parameter, and its runs filtered by the three others."""
    grids = [found["metadata"] for found in objects(spec["report"]) if "runSets" in found.get("metadata", {})]
    sweeps = {plot["groupBy"]: grid["runSets"][0] for grid in grids for plot in lines(grid) if "groupBy" in plot}
    parameters = {f"prune.value.{sweep.parameter}" for sweep in ABLATIONS.values()}
    assert set(sweeps) == parameters
    for parameter, runs in sweeps.items():
        filtered = {found["key"]["name"].replace("prune.", "prune.value.") for found in runs["filters"]["filters"]}
        assert filtered == {"prune.value.name", *parameters} - {parameter}


def test_all_views_are_there(spec):
    sections = [section["name"] for section in spec["workspace"]["section"]["panelBankConfig"]["sections"]]
    assert sections[:3] == ["Retrained networks", "Pruned networks", "Against percent remaining"]
    assert [f"Sweep of {sweep.letter}" for sweep in ABLATIONS.values()] == sections[4:8]
    assert all(name in json.dumps(spec["report"], ensure_ascii=False) for name in sections)
    four = spec["workspace"]["section"]["panelBankConfig"]["sections"][0]["panels"]
    assert [panel["config"]["metrics"] for panel in four] == [
        ["retrained/accuracy"], ["percent_remaining"], ["retrained/pqi"], ["retrained/gini"],
    ]  # fmt: skip


def test_the_specification_is_the_same_every_time(spec):
    assert json.loads(run_command("--spec").stdout) == spec


def test_without_a_login_one_message_says_what_to_do():
    done = run_command()
    assert done.returncode == 1
    assert "wandb login" in done.stderr
    assert "--spec" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_key_is_named():
    assert "did you mean project" in run_command("projet=x").stderr
