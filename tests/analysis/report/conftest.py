"""A report of made-up records: the paper's main study with a sweep, and a smaller one with a gap."""

from pathlib import Path

import pytest

from src.report import main
from tests.analysis.synthetic import ABLATIONS, FOUR, Spec, base_specs, write_runs


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
