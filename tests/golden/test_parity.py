"""The authors' numerics, reproduced through the command line from their initial states."""

import json
import os
from pathlib import Path

import pytest
import torch
import yaml

from tests.golden.compare import compare
from tests.support import ROOT, command_line, fashion_mnist_root

TRACES = Path(__file__).parent / "traces"
MLP = sorted(TRACES.glob("fashionmnist_mlp_*.json"))
MORE = Path(os.environ.get("SAP_GOLDEN", ROOT.parent / "shared" / "golden"))
CIFAR = sorted(MORE.glob("cifar10_cnn_*.json"))


def sweep(output_dir: Path, *overrides: str) -> dict[tuple[str, ...], Path]:
    """Run a sweep of all traces' settings; the folders by (method, scope, p)."""
    done = command_line("-m", "threads=1", f"output_dir={output_dir}", *overrides)
    assert done.returncode == 0, done.stderr[-2000:]
    folders = {}
    for config in output_dir.glob("runs/*/config.yaml"):
        prune = yaml.safe_load(config.read_text())["prune"]
        folders[prune["name"], prune["scope"], float(prune.get("p", 0))] = config.parent
    return folders


def key(trace: Path) -> tuple[str, str, float]:
    golden = json.loads(trace.read_text())
    return golden["method"], golden["scope"], float(golden.get("p", 0))


@pytest.fixture(scope="module")
def mlp_runs(tmp_path_factory) -> dict[tuple[str, ...], Path]:
    return sweep(
        tmp_path_factory.mktemp("mlp"),
        f"dataset.root={fashion_mnist_root()}",
        "dataset.train_size=2000",
        "dataset.test_size=1000",
        "dataset.shuffle=false",
        "dataset.augment=false",
        "model=mlp",
        "prune=sap,sap_1_2,lottery_ticket,one_shot",
        "prune.scope=neuron,layer,global",
        "prune.iterations=4",
        "trainer.epochs=3",
        f"init_from={TRACES / 'init_fashionmnist_mlp_seed0.npz'}",
    )


@pytest.mark.parametrize("trace", MLP, ids=lambda path: path.stem)
def test_fashion_mnist_mlp(mlp_runs, trace):
    distance = compare(mlp_runs[key(trace)], trace)
    print(f"\n{trace.stem}: {distance}")
    distance.check()


def test_half_of_the_traces_are_compared_mask_by_mask():
    assert sum(trace.with_suffix(".npz").exists() for trace in MLP) == 6


@pytest.mark.skipif(not CIFAR, reason="the CIFAR-10 traces are not part of the repository")
@pytest.mark.parametrize("trace", CIFAR, ids=lambda path: path.stem)
def test_cifar10_cnn(tmp_path, trace):
    root = Path(os.environ.get("SAP_CIFAR10_ROOT", ROOT / "data"))
    if not (root / "cifar-10-batches-py").is_dir():
        pytest.skip("CIFAR-10 is not in data/ or SAP_CIFAR10_ROOT")
    golden = json.loads(trace.read_text())
    folders = sweep(
        tmp_path,
        f"dataset.root={root}",
        f"dataset.train_size={golden['train_images']}",
        f"dataset.test_size={golden['test_images']}",
        "dataset.shuffle=false",
        "dataset.augment=false",
        "model=cnn",
        f"prune={golden['method']}",
        f"prune.scope={golden['scope']}",
        f"prune.iterations={golden['prune_iterations']}",
        f"trainer.epochs={golden['epochs_per_iteration']}",
        f"init_from={MORE / golden['initial_state']}",
        "record.weights=true",
    )
    torch.set_num_threads(1)
    distance = compare(folders[key(trace)], trace)
    print(f"\n{trace.stem}: {distance}")
    distance.check()
