"""A report of made-up records: the paper's main study with a sweep, and a smaller one with a gap."""

import json
from pathlib import Path

import pytest

from src.report import main
from tests.analysis.synthetic import ABLATIONS, FOUR, OWN, Spec, base_specs, write_run, write_runs


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page."""
    folder = tmp_path_factory.mktemp("report")
    main_study = base_specs("cifar10", "cnn", range(3), ("neuron", "layer", "global"))
    sweep = [Spec(method, seed) for method in ABLATIONS[:4] for seed in range(3)]
    small = [Spec(method, 0, "fashion_mnist", "linear") for method in FOUR[:3]]
    stopped = Spec(FOUR[3], 0, "fashion_mnist", "linear", status="failed")
    write_runs(folder, [*main_study, *sweep, *small, stopped])
    assert main([f"output_dir={folder}"]) == 0
    return folder / "report" / "index.html"


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of runs whose names, labels, choices and folder would end the page's script if they were not escaped."""
    folder = tmp_path_factory.mktemp("hostile") / "my <!--<script> runs"
    for run in write_runs(folder, [Spec(method, seed) for method in (*FOUR, OWN) for seed in (0, 1)]):
        state = json.loads((run / "run.json").read_text())
        text = "<!--<script>{}</script>\"'`${{alert(1)}}<img src=x onerror=alert(1)>\u2028{{{{ 7 * 7 }}}}"
        state |= {key: text.format(key) for key in ("name", "id", "dataset", "model", "experiment")}
        state["method"] |= {key: text.format(key) for key in ("kind", "label")}
        state["choices"] = {group: text.format(group) for group in state["choices"]}
        (run / "run.json").write_text(json.dumps(state))
    stopped = write_run(folder, Spec(FOUR[0], 2, status="failed"))
    state = json.loads((stopped / "run.json").read_text())
    (stopped / "run.json").write_text(json.dumps(state | {"reason": "]]>--></script><script>alert(1)</script>"}))
    assert main([f"output_dir={folder}"]) == 0
    return folder / "report" / "index.html"
