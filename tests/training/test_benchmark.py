"""The benchmark of the engines runs, and its conventional loop trains as the solo engine does."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import check, engine, thin
from benchmarks.conventional import Compiled, Conventional
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
    assert [e for e in engines if e[0] != "compiled"] == [
        ("conventional", 1),
        ("solo", 1),
        ("stacked", 1),
        ("stacked", 3),
    ]
    # 2 x 784 x 10 operations an image forward, as many backward as the images need no gradient
    assert rows[0]["flop"] == 2 * 7840 * (2 * 500 + 83)
    assert all(row["time_s"] > 0 and row["peak_flop_per_s"] > 0 for row in rows)


def row(name, members, time_s):
    return engine.Row("mlp", "patterns", False, 10, 10, name, members, [time_s], time_s, 1.0, 1.0, None)


def test_what_is_more_than_15_percent_slower_against_the_conventional_loop_is_told():
    then = [row("conventional", 1, 10.0), row("solo", 1, 2.0), row("stacked", 4, 4.0)]
    # half the machine: all ratios hold; then solo alone loses a quarter of its speed
    faster = [replace(r, peak_flop_per_s=2.0) for r in then]
    assert check.slower([row(r.engine, r.members, 2 * r.time_s) for r in then], faster) == []
    slow = [then[0], row("solo", 1, 2.5), then[2]]
    assert check.slower(slow, then) == [
        "mlp solo K=1: 4 x conventional, was 5",
        "mlp solo K=1: 0.4 of the peak, was 0.5",
    ]


@pytest.mark.parametrize("loop", [Conventional, Compiled])
def test_the_loops_we_compare_with_learn(loop, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function: function)
    spec, dataset = specification("mlp", epochs=1), patterns()
    template = network("mlp")
    compared = loop(spec, type(dataset)(**{**vars(dataset), "flip": False, "crop": False}), template, CPU)
    masks = member(spec).request.masks
    assert max(compared.epoch(masks) for _ in range(3)) > 50


def test_thin_masks_count_what_is_left():
    whole = [np.ones((4, 6), bool), np.ones((2, 4), bool)]
    dense, left = thin.operations(whole)
    # 2 x batch x weights: forward, its share of the test and the weights' gradient, and that of the inputs of layer 2
    assert dense == pytest.approx(500 * (24 * (2 + 1 / 6) + 8 * (3 + 1 / 6)))
    assert left == pytest.approx(dense)
    half = [whole[0].copy(), whole[1]]
    half[0][:, :3] = False
    assert thin.operations(half)[1] == pytest.approx(dense - 500 * 12 * (1 + 1 / 6))
