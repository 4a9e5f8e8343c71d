"""Whole runs on a GPU: they end, and what they record is what a CPU records, but for rounding."""

import pytest
import torch

from src.files import read_rows
from tests.support import command_line

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]

SHORT = ["dataset=digits", "trainer.epochs=3", "prune.iterations=2", "threads=1", "record.picture=false"]
METHODS = ["prune=sap,lottery_ticket,one_shot", "-m"]
GRAPH, LAST = "trainer.compile=graph", "trainer.channels_last=true"


@pytest.mark.parametrize(
    ("words", "means"),
    [
        (["model=cnn", "dataset.train_size=500", *METHODS], ["trainer.precision=tf32", GRAPH, LAST]),
        (["model=cnn", "dataset.train_size=500", "prune.scope=neuron"], []),
        (["model=resnet18", "dataset.train_size=200"], ["trainer.precision=bf16", GRAPH, LAST]),
        (["model=mlp", "prune.scope=neuron,layer,global", *METHODS], ["hydra/launcher=stacked", GRAPH]),
        (["model=mlp", "prune=sap", "prune/score=random,synflow,snip", "-m"], [GRAPH]),
        (["model=linear", "prune/rewind=fine_tune", "trainer/optimizer=adam", "trainer.lr=0.001"], [GRAPH]),
    ],
    ids=["cnn", "neuron-wise", "resnet18", "stacked", "scores", "adam"],
)
def test_a_run_records_what_a_cpu_does(tmp_path, words, means):
    for device, own in (("cpu", []), ("cuda", means)):
        done = command_line(*words, *SHORT, *own, f"device={device}", f"output_dir={tmp_path / device}")
        assert done.returncode == 0, done.stderr
    here, there = ([rows(run) for run in sorted((tmp_path / d / "runs").iterdir())] for d in ("cpu", "cuda"))
    assert len(here) == len(there) > 0
    for ours, theirs in zip(here, there, strict=True):
        assert [int(row["remaining"]) for row in theirs] == pytest.approx(
            [int(row["remaining"]) for row in ours], rel=0.05
        )
        first = [float(run[0]["retrained_accuracy"]) for run in (ours, theirs)]
        assert first[0] == pytest.approx(first[1], abs=10)


def rows(run):
    return read_rows(run / "iterations.csv")


def test_a_run_goes_on_where_the_cpu_left_it(tmp_path):
    """Trainings that one device has done are read on the other."""
    words = ["model=mlp", *SHORT, f"output_dir={tmp_path}"]
    assert command_line(*words, "prune=sap").returncode == 0
    done = command_line(*words, "prune=lottery_ticket", "device=cuda")
    assert done.returncode == 0, done.stderr
    first, second = (rows(run)[0] for run in sorted((tmp_path / "runs").iterdir()))
    assert float(first["retrained_accuracy"]) == pytest.approx(float(second["retrained_accuracy"]), abs=1)
