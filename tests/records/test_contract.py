"""What the store writes is what the figures read."""

import csv
from functools import partial

import numpy as np
import torch
import yaml
from hydra import compose, initialize_config_dir
from src.naming import method_name
from src.requests import Epoch, EvaluateRequest, Performance, Record, Trained, TrainRequest
from src.store.runs import RunFolder

from src.config.schema import Config, register_schemas
from src.config.settings import settings, settings_dict
from src.figures import run_figure
from src.main import CONF
from src.pruning import GROUPINGS, Pruner, fixed_ratio_amount
from src.records.library import load_library
from src.sparsity import P_GRID, Q_GRID
from src.trajectory import Layout, Plan, trajectory
from tests.analysis.synthetic import Spec, write_run

NAMES = ["a.weight", "b.weight"]


def _settings(*overrides: str) -> Config:
    register_schemas()
    with initialize_config_dir(config_dir=CONF, version_base="1.3"):
        return settings(compose("config", overrides=list(overrides)))


def _trained(request: TrainRequest) -> Trained:
    generator = torch.Generator().manual_seed(request.iteration)
    state = {name: torch.randn(4, 6, generator=generator) * request.masks[name] for name in NAMES}
    epochs = [Epoch(e, 0.1, *(Performance(1.0, 80.0 - request.iteration + e),) * 3) for e in range(2)]
    return Trained(state, state, 0, epochs)


def write_real_run(output_dir):
    """A run of lottery ticket with T = 3 as `src.run` stores it, from trainings made by hand."""
    config = _settings("model=mlp", "prune=lottery_ticket", "prune.iterations=3", "prune.scope=layer", "seed=7")
    folder = RunFolder(output_dir / "runs" / "real", "1234567890", 3)
    folder.open(yaml.safe_dump(settings_dict(config)))
    pruner = Pruner(GROUPINGS["layer"], partial(fixed_ratio_amount, ratio=0.2))
    initial = {name: torch.ones(4, 6) for name in NAMES}
    steps, answer = trajectory(Plan(3, pruner), initial, Layout(NAMES, [])), None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            break
        match request:
            case TrainRequest():
                answer = _trained(request)
            case EvaluateRequest():
                answer = Performance(2.0, 50.0)
            case Record():
                folder.write(request)
                answer = None
    folder.finish()
    return config


def test_a_stored_run_is_read_back(tmp_path):
    config = write_real_run(tmp_path)
    (run,) = load_library(tmp_path).finished
    assert (run.dataset, run.model, run.scope, run.seed, run.iterations) == ("fashion_mnist", "mlp", "layer", 7, 3)
    assert run.method.key == method_name(config.prune) == "lt-0.2"
    assert run.table["retrained_accuracy"].tolist() == [81.0, 80.0, 79.0, 78.0]
    assert np.isnan(run.table["pruned_pqi"][-1])
    assert run.layers.names == tuple(NAMES)
    assert run.layers["remaining"].sum(1).tolist() == run.table["remaining"].tolist()
    assert [tuple(axis) for axis in run.grid_axes] == [P_GRID, Q_GRID]
    assert run.grid("retrained", 2)[4, 0] == run.table["retrained_pqi"][2]
    assert np.allclose(run.layer_grids("retrained")[:, :, 4, 0], run.layers["retrained_pqi"], atol=1e-6)  # float32


def test_a_stored_run_is_drawn(tmp_path):
    write_real_run(tmp_path)
    assert run_figure(tmp_path / "runs" / "real", tmp_path / "curves.png") == tmp_path / "curves.png"
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_made_up_runs_have_the_columns_of_stored_ones(tmp_path):
    write_real_run(tmp_path)
    made_up = write_run(tmp_path, Spec({"name": "lottery_ticket", "ratio": 0.2}))
    for name in ("iterations.csv", "layers.csv"):
        stored, synthetic = (_columns(folder / name) for folder in (tmp_path / "runs" / "real", made_up))
        assert set(synthetic) <= set(stored)


def _columns(path):
    with path.open(newline="") as file:
        return next(csv.reader(file))
