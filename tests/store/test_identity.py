"""Identities: what enters them, what does not, and a dozen that must never change."""

from dataclasses import dataclass

import pytest
import torch

from src.requests import TrainRequest
from src.run_identity import build_run_id, build_spec
from src.store.digest import settings_of
from src.store.identity import tensors_digest, training_id
from tests.test_config import composed

PINNED = {
    "": "6f35f770bba64359837ad0c2c5e3cd86",
    "prune=lottery_ticket": "c1b5a6c55d5c4fa22dff914d8b6d3574",
    "prune=one_shot": "c74b0d8feeab35cc8b15d7d13cebd6b9",
    "prune=dense": "0919e31b8875cb6e86d7732a42db90a4",
    "prune.scope=neuron": "57934d5bd3609104de8e85808139694a",
    "prune.p=0.2 prune.eta_r=0.1 prune.gamma=2": "c55063274fd6c298b255a34aedccd6e0",
    "model=cnn trainer=paper": "fb0fc86b2382496139c2fb5f6addb919",
    "model=resnet18 trainer=paper seed=3": "967ff6666f2d1ed714f88ef4d27f781f",
    "protocol=clean": "92695f6de051d86cf8c272939ee3a3e5",
    "dataset.train_size=100 dataset.shuffle=false": "2ed1e0015e4346dd18acb5ebee2b53c3",
}


def run_identity(*overrides: str) -> str:
    config = composed(*overrides)
    return build_run_id(config, build_spec(config))


def training_identity(*overrides: str, iteration: int = 0, keep: int = 6) -> str:
    mask = torch.arange(6).reshape(2, 3) < keep
    return training_id(build_spec(composed(*overrides)), TrainRequest(iteration, {"weight": mask}, {}))


@pytest.mark.parametrize(("overrides", "identity"), PINNED.items())
def test_identities_never_change(overrides: str, identity: str) -> None:
    assert run_identity(*overrides.split()) == identity


TRAININGS = [
    ("", 0, 6, "94518ce4bc5bba7968aafa87737a6282"),
    ("", 1, 5, "6ecf2ffd63353f9c70b41a38922bc11e"),
    ("model=resnet18 trainer=paper", 0, 6, "597b591450c68f914593f27938794b77"),
    ("protocol=clean", 0, 6, "7676ffd911a255a2e82a493a6686534f"),
]


@pytest.mark.parametrize(("overrides", "iteration", "keep", "identity"), TRAININGS)
def test_training_identities_never_change(overrides: str, iteration: int, keep: int, identity: str) -> None:
    assert training_identity(*overrides.split(), iteration=iteration, keep=keep) == identity


@pytest.mark.parametrize(
    "override",
    [
        "device=cpu",
        "threads=1",
        "output_dir=elsewhere",
        "dataset.root=elsewhere",
        "tracking=none",
        "tracking.project=other",
        "trainer.checkpoint_every=5",
        "experiment_name=other",
        "record.weights=true",
        "record.masks=bits",
        "trainer.compile=graph",
        "engine.max_members=3",
    ],
)
def test_what_changes_no_result_does_not_enter(override: str) -> None:
    assert run_identity(override) == run_identity()
    assert training_identity(override) == training_identity()


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "trainer.lr=0.2",
        "trainer.epochs=4",
        "dataset=mnist",
        "model=linear",
        "dataset.augment=false",
        "trainer.precision=bf16",
    ],
)
def test_what_changes_a_training_enters(override: str) -> None:
    assert run_identity(override) != run_identity()
    assert training_identity(override) != training_identity()


@pytest.mark.parametrize("override", ["prune.p=0.4", "prune.scope=layer", "prune=one_shot", "prune.iterations=5"])
def test_pruning_enters_the_runs_identity_and_not_the_trainings(override: str) -> None:
    assert run_identity(override) != run_identity()
    assert training_identity(override) == training_identity()


def test_the_protocol_enters_where_it_matters() -> None:
    assert run_identity("protocol.os.source=best") == run_identity()
    assert run_identity("prune=one_shot", "protocol.os.source=best") != run_identity("prune=one_shot")
    assert training_identity("protocol.clip.when=after_mask") != training_identity()
    assert training_identity("protocol.rewind.bn_buffers=reset") == training_identity()


def test_masks_and_buffers_enter() -> None:
    assert training_identity(keep=5) != training_identity(keep=6)
    assert training_identity(iteration=1) != training_identity(iteration=0)
    zeros, ones = {"mean": torch.zeros(3)}, {"mean": torch.ones(3)}
    assert tensors_digest(zeros) != tensors_digest(ones)
    assert tensors_digest({"other": torch.zeros(3)}) == tensors_digest(zeros)
    assert tensors_digest({"mean": torch.zeros(3, 1)}) != tensors_digest(zeros)


def test_a_new_setting_at_its_neutral_value_changes_nothing() -> None:
    @dataclass
    class Old:
        lr: float
        momentum: float = 0.9

    @dataclass
    class New(Old):
        warm_up: int = 0

    assert settings_of(New(0.1)) == settings_of(Old(0.1)) == {"lr": 0.1}
    assert settings_of(New(0.1, warm_up=5)) == {"lr": 0.1, "warm_up": 5}
