"""All figures of the paper's 640 runs in a minute on two cores."""

import time

import pytest

from src.analysis.settings import FigureSettings
from src.config.command_line import read_settings
from src.figures import draw_figures
from tests.analysis.synthetic import full_experiment, write_runs


@pytest.mark.slow
def test_all_figures_of_640_runs_take_at_most_a_minute(tmp_path):
    write_runs(tmp_path, full_experiment())
    start = time.perf_counter()
    outcome = draw_figures(read_settings(FigureSettings, [f"output_dir={tmp_path}", "workers=2"]))
    assert outcome.messages == ()
    # 3 scopes of 8 networks, 2 of the 2 with one layer; 4 sweeps of 4; 3 errors of all, a fourth of those with layers
    scopes, sweeps, tradeoffs, layers, errors = 3 * 8 - 2, 4 * 4, 8, 2 * 6, 3 * 8 + 6
    assert len(outcome.paths) == 2 * (3 * scopes + sweeps + tradeoffs + 2 * layers + errors)
    assert time.perf_counter() - start < 60
