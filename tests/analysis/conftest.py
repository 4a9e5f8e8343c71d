"""Folders of made-up records; tests read them and write elsewhere."""

from pathlib import Path

import pytest

from tests.analysis.synthetic import base_specs, write_runs


@pytest.fixture(scope="session")
def four_methods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CIFAR10 x CNN, the four methods, global, two seeds."""
    folder = tmp_path_factory.mktemp("four_methods")
    write_runs(folder, base_specs("cifar10", "cnn", seeds=(0, 1)))
    return folder
