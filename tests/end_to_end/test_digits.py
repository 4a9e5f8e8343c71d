"""Real runs on real digits, from the command line to records, figures and Weights & Biases."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from src.files import read_rows
from tests.support import command_line, folder_of
from tests.tracking.offline_log import offline_runs, read_log

RUN = ["dataset=digits", "model=mlp", "prune.iterations=3", "trainer.epochs=2", "trainer.batch_size=50", "threads=1"]
COLUMNS = {
    *("iteration", "remaining", "total", "percent_remaining", "best_epoch", "retained_bound", "pruned_count"),
    *("retrained_accuracy", "retrained_loss", "retrained_pqi", "retrained_gini"),
    *("pruned_accuracy", "pruned_loss", "pruned_pqi"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> list[Path]:
    """Three methods in three scopes."""
    out = tmp_path_factory.mktemp("digits")
    sweep = ["-m", "prune=sap,lottery_ticket,one_shot", "prune.scope=neuron,layer,global", "record.weights=true"]
    done = command_line(*RUN, *sweep, f"output_dir={out}")
    assert done.returncode == 0, done.stderr
    return sorted(path for path in (out / "runs").iterdir() if path.is_dir())


def test_each_run_has_its_folder(folders):
    prunes = [yaml.safe_load((folder / "config.yaml").read_text())["prune"] for folder in folders]
    assert {(prune["name"], prune["scope"]) for prune in prunes} == {
        (name, scope) for name in ("sap", "lottery_ticket", "one_shot") for scope in ("neuron", "layer", "global")
    }


def test_records_hold_together(folders):
    for folder in folders:
        table = read_rows(folder / "iterations.csv")
        assert set(table[0]) >= COLUMNS
        assert [row["iteration"] for row in table] == ["0", "1", "2", "3"]
        assert table[-1]["pruned_count"] == ""
        remaining = [int(row["remaining"]) for row in table]
        assert remaining[0] == int(table[0]["total"])
        assert [a - b for a, b in pairwise(remaining)] == [int(row["pruned_count"]) for row in table[:-1]]
        assert remaining[-1] < remaining[0]
        layers = read_rows(folder / "layers.csv")
        for t, alive in enumerate(remaining):
            assert alive == sum(int(row["remaining"]) for row in layers if int(row["iteration"]) == t)


def test_it_learns(folders):
    for folder in folders:
        assert float(read_rows(folder / "iterations.csv")[0]["retrained_accuracy"]) > 80


def test_masks_are_nested_and_pruned_weights_zero(folders):
    for folder in folders:
        masks, weights = load_file(folder / "masks.safetensors"), load_file(folder / "weights.safetensors")
        for name, mask in masks.items():
            t, layer = name.removeprefix("iteration_").split("/", 1)
            assert mask.dtype == torch.bool
            assert not weights[name][~mask].any()
            if int(t) > 0:
                assert not (mask & ~masks[f"iteration_{int(t) - 1}/{layer}"]).any()


def test_weights_and_biases_sees_the_records(tmp_path):
    done = command_line(*RUN, "tracking=offline", f"output_dir={tmp_path}")
    assert "wandb sync" in done.stdout + done.stderr
    folder = folder_of(done)
    (part,) = offline_runs(folder)
    logged, table = read_log(part), read_rows(folder / "iterations.csv")
    assert logged.column("percent_remaining") == [float(row["percent_remaining"]) for row in table]
    assert logged.column("by_percent_remaining/retrained/pqi") == [float(row["retrained_pqi"]) for row in table]
    assert logged.column("epoch") == list(range(1, 9))
    assert logged.config["prune"]["p"] == 0.5
    assert logged.column("figures/curves")
    assert logged.column("records")[0]["nrows"] == 4
    assert (folder / "curves.png").stat().st_size > 10_000


def test_the_clean_protocol_holds_images_out(tmp_path):
    done = command_line(*RUN, "protocol=clean", "prune=one_shot", "prune.scope=neuron", f"output_dir={tmp_path}")
    epochs = read_rows(folder_of(done) / "epochs.csv")
    assert any(row["selection_accuracy"] != row["test_accuracy"] for row in epochs)
