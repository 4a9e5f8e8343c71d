"""What a user gets wrong ends with one clear message, a non-zero status, no traceback, and nothing written."""

import numpy as np
import pytest
import torch

from tests.support import command_line

DIGITS = ["dataset=digits", "model=linear", "trainer=smoke", "prune.iterations=1"]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["prune.zzz=1"], ["prune.zzz", "zzz"]),
        (["+prune.gama=1"], ["prune.gama", "did you mean gamma"]),
        (["prune=foo"], ["foo", "lottery_ticket"]),
        (["prune.p=abc"], ["abc", "prune.p"]),
        (["prune.p=1.5"], ["prune.p=1.5", "prune.q=1"]),
        (["prune.p=1", "prune.q=1"], ["prune.p=1.0", "0 < p < q"]),
        (["prune.p=0"], ["prune.p=0", "greater than 0"]),
        (["prune.p=-0.5"], ["prune.p=-0.5", "greater than 0"]),
        (["prune.eta_r=-1"], ["prune.eta_r=-1", "0 or more"]),
        (["prune.gamma=0"], ["prune.gamma=0", "greater than 0"]),
        (["prune=lottery_ticket", "prune.ratio=1"], ["prune.ratio=1", "between 0 and 1"]),
        (["prune=one_shot", "prune.ratio=0"], ["prune.ratio=0", "between 0 and 1"]),
        (["prune.scope=network"], ["network", "neuron", "layer", "global"]),
        (["model=resnet50"], ["resnet50", "channel"]),
        (["protocol.decision.checkpoint=first"], ["first", "best_test", "last", "best_val"]),
        (["dataset.train_size=0"], ["dataset.train_size=0"]),
        (["dataset.train_size=5000"], ["5000", "1500"]),
        (["init_from=nowhere.npz"], ["nowhere.npz", "no such file"]),
        (["device=tpu"], ["device=tpu", "cuda"]),
        (["dataset=cifar10", "dataset.root={tmp}/empty"], ["cifar"]),
    ],
)
def test_message(tmp_path, overrides, words):
    overrides = [override.format(tmp=tmp_path) for override in overrides]
    result = command_line(*DIGITS, *overrides, f"output_dir={tmp_path / 'out'}")
    assert result.returncode != 0
    assert "Traceback" not in result.stderr + result.stdout
    for word in words:
        assert word.lower() in result.stderr.lower()
    assert not list((tmp_path / "out").rglob("*.csv"))
    assert not (tmp_path / "out" / "runs").exists()


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
