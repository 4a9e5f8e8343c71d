"""The benchmark of the engines runs, and its conventional loop trains as the solo engine does."""

import json
import subprocess
import sys

import pytest
import torch

from benchmarks import engine
from benchmarks.conventional import Conventional
from tests.support import ROOT
from tests.training.examples import CPU, distance, member, network, patterns, solo, specification


def test_conventional_and_solo_train_alike():
    # without shuffling there is nothing random in either
    spec, dataset = specification("mlp", epochs=1, shuffle=False, augment=False), patterns()
    template = network("mlp")
    pruned = member(spec, alive=0.5)
    with torch.no_grad():
        for name, mask in pruned.request.masks.items():
            template.get_parameter(name).mul_(mask)
    plain = type(dataset)(**{**vars(dataset), "flip": False, "crop": False})
    conventional = Conventional(spec, plain, template, CPU)
    accuracy = conventional.epoch(pruned.request.masks)
    (trained,) = solo(spec, dataset).train([pruned])
    assert distance(trained.last, dict(template.state_dict())) < 1e-5
    assert accuracy == pytest.approx(trained.history[0].test.accuracy)


def test_synthetic_images_where_there_are_none(tmp_path):
    dataset, synthetic = engine.benchmark_data("cnn", tmp_path, 600)
    assert synthetic
    assert dataset.train_images.shape == (600, 3, 32, 32)
    assert (len(dataset.test_labels), dataset.flip, dataset.crop) == (100, True, True)


def test_table_and_json(tmp_path):
    command = "-m benchmarks.engine --models linear --images 500 --repeats 1 --members 1,3 --threads 1 --json out.json"
    done = subprocess.run(
        [sys.executable, *command.split(), "--root", str(tmp_path / "none")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "500 training and 83 test images" in done.stdout
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    engines = [(row["engine"], row["members"]) for row in rows]
    assert engines[:4] == [("conventional", 1), ("solo", 1), ("stacked", 1), ("stacked", 3)]
    # 2 x 784 x 10 operations an image forward, as many backward as the images need no gradient
    assert rows[0]["flop"] == 2 * 7840 * (2 * 500 + 83)
    assert all(row["time_s"] > 0 and row["peak_flop_per_s"] > 0 for row in rows)
