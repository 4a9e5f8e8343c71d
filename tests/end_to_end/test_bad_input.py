"""What a user gets wrong ends with one clear message, a non-zero status, no traceback, and nothing written."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from src.main import _flags_first
from src.models.model import Model
from src.pruning.scores import Score
from tests.support import command_line, folder_of, process

DIGITS = ["dataset=digits", "model=linear", "trainer=smoke", "prune.iterations=1"]


@dataclass(frozen=True)
class Wrong(Model):
    def build(self, image_shape, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 7))


@dataclass(frozen=True)
class Bare(Model):
    def build(self, image_shape, classes):
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), Repeat(classes))


class Repeat(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(classes))

    def forward(self, x):
        return x * self.scale


@dataclass(frozen=True)
class NotANumber(Score):
    def of_weights(self, weights, draws):
        return {name: w * torch.nan for name, w in weights.items()}


@dataclass(frozen=True)
class Misshapen(Score):
    def of_weights(self, weights, draws):
        return {name: w.flatten() for name, w in weights.items()}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["+prune.gama=1"], ["prune.gama", "did you mean gamma"]),
        (["prune=foo"], ["foo", "lottery_ticket"]),
        (["prune=null"], ["prune=null", "lottery_ticket"]),
        (["prune.p=1.5"], ["prune.p=1.5", "prune.q=1"]),
        (["prune=lottery_ticket", "prune.exclude=[stem.*]"], ["prune.exclude=stem.*", "linear.weight"]),
        (["prune=lottery_ticket", "prune.exclude=[linear.*]"], ["nothing to prune"]),
        (["output_dir=lr=0.1/x"], ["output_dir=lr=0.1/x", "quote"]),
        (["trainer/optimizer=torch", "trainer.optimizer.name=LBFGS"], ["LBFGS"]),
        (["trainer/optimizer=torch", "+trainer.optimizer.options={{foo:1}}"], ["trainer.optimizer", "argument 'foo'"]),
        (["model=mlp", "model.hidden=[65536,65536,65536]"], ["model=mlp-65536-65536-65536", "GB of memory are free"]),
        (["model=mlp", "model.hidden=[1000000,1000000]"], ["model.hidden[0]=1000000", "at most 65536"]),
        (["trainer.compile=graph", "trainer/optimizer=torch"], ["trainer.compile"]),
        (["model=resnet50"], ["resnet50", "channel"]),
        (["protocol.decision.checkpoint=first"], ["first", "best_test", "last", "best_val"]),
        (["prune.rewind.epoch=1"], ["prune.rewind.epoch=1", "below trainer.epochs=1"]),
        (["model._target_=nowhere.Net"], ["model._target_=nowhere.Net", "cannot be imported"]),
        (["model._target_=tests.end_to_end.test_bad_input.Wrong"], ["[2, 7]", "[2, 10]"]),
        (["model._target_=tests.end_to_end.test_bad_input.Bare"], ["nothing to prune"]),
        (["prune.score._target_=tests.end_to_end.test_bad_input.NotANumber"], ["prune.score", "NaN"]),
        (["prune.score._target_=tests.end_to_end.test_bad_input.Misshapen"], ["prune.score", "shape"]),
        (["dataset=folder", "dataset.root={tmp}"], ["{tmp}"]),
        (["dataset.train_size=0"], ["dataset.train_size=0"]),
        (["dataset.train_size=5000"], ["5000", "1500"]),
        (["init_from=nowhere.npz"], ["nowhere.npz", "no such file"]),
        (["device=tpu"], ["device=tpu", "cuda"]),
        (["device='cuda:²'"], ["device=cuda:²"]),
        (["dataset=cifar10", "dataset.root={tmp}/empty"], ["cifar"]),
        (["--cfg", "job", "-m"], ["--cfg shows the settings of one run", "-m"]),
    ],
)
def test_message(tmp_path, overrides, words):
    overrides, words = ([text.format(tmp=tmp_path) for text in texts] for texts in (overrides, words))
    result = command_line(*DIGITS, *overrides, f"output_dir={tmp_path / 'out'}")
    assert result.returncode != 0
    assert "Traceback" not in result.stderr + result.stdout
    for word in words:
        assert word.lower() in result.stderr.lower()
    assert not list((tmp_path / "out").rglob("*.csv"))
    assert not (tmp_path / "out" / "runs").exists()


def test_a_choice_of_ones_own_must_have_a_name_of_its_own(tmp_path):
    own = tmp_path / "conf" / "prune" / "sap.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("_target_: nowhere.Sap\n")
    for words in ([], ["prune=sap,dense", "-m"]):
        done = command_line(*DIGITS, *words, f"output_dir={tmp_path / 'out'}", "--config-dir", str(tmp_path / "conf"))
        assert done.returncode != 0
        assert f"{own} has the name of a choice in conf/" in done.stderr
    own.rename(own.with_name("mine.yaml"))
    assert "nowhere.Sap" in command_line(*DIGITS, "prune=mine", "--config-dir", str(tmp_path / "conf")).stderr


@pytest.mark.parametrize(
    ("words", "ordered"),
    [
        (["model=mlp", "--info", "defaults"], ["--info=defaults", "model=mlp"]),
        (["model=mlp", "--info"], ["--info=all", "model=mlp"]),
        (["-i", "model=mlp"], ["--info=all", "model=mlp"]),
        (["model=mlp", "--cfg", "all"], ["--cfg", "all", "model=mlp"]),
    ],
)
def test_what_hydra_shows_of_a_configuration_may_be_asked_for_anywhere(words, ordered):
    assert _flags_first(words) == ordered


def test_what_notebooks_and_jobs_leave_in_the_environment_changes_nothing(tmp_path):
    left = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "WORLD_SIZE": "2", "RANK": "1"}
    done = process(*DIGITS, "record.picture=true", f"output_dir={tmp_path}", **left)
    assert "Traceback" not in done.stderr
    assert (folder_of(done) / "curves.png").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda(tmp_path):
    result = command_line(*DIGITS, "device=cuda", f"output_dir={tmp_path / 'out'}")
    assert result.returncode != 0
    assert "device=cuda" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_initial_state_with_wrong_shapes(tmp_path):
    np.savez(tmp_path / "init.npz", **{"linear.weight": np.zeros((10, 65), np.float32), "linear.bias": np.zeros(10)})
    result = command_line(*DIGITS, f"init_from={tmp_path / 'init.npz'}", f"output_dir={tmp_path / 'out'}")
    assert result.returncode != 0
    assert "[10, 64]" in result.stderr
    assert "[10, 65]" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
