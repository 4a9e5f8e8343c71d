"""Identities: what enters them, what does not, and a few that must never change."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from src.config.part import Part, setting
from src.messages import TrainRequest
from src.run import Run
from src.store.digest import digest, settings_of, tensors_digest, training_id
from src.training.optimizers import Adam, Sgd
from src.training.spec import TrainingSpec
from tests.config.test_compositions import composed

SPEC = TrainingSpec(seed=3, epochs=2, data="d", model="m")


def run_identity(*overrides: str) -> str:
    return Run(composed(*overrides)).identity


def spec_digest(*overrides: str) -> str:
    return Run(composed(*overrides)).spec_digest


def request(iteration: int = 0, keep: int = 6, start: float = 1.0, **epochs: int) -> TrainRequest:
    mask = torch.arange(6).reshape(2, 3) < keep
    return TrainRequest(iteration, {"weight": mask}, {"weight": torch.full((2, 3), start)}, **epochs)


@pytest.mark.parametrize(
    "override",
    [
        "device=cpu",
        "threads=1",
        "output_dir=elsewhere",
        "tracking=none",
        "tracking.project=other",
        "trainer.checkpoint_every=5",
        "experiment_name=other",
        "record.weights=true",
        "record.masks=bits",
        "trainer.compile=graph",
        "engine.max_members=3",
        "model.prune_iterations=30",
    ],
)
def test_what_changes_no_result_does_not_enter(override: str) -> None:
    assert run_identity(override) == run_identity()
    assert spec_digest(override) == spec_digest()


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "trainer.lr=0.2",
        "trainer.epochs=4",
        "dataset=mnist",
        "model=linear",
        "model.hidden=[128,255]",
        "dataset.augment=false",
        "dataset.train_size=100",
        "dataset.statistics=true",
        "trainer.precision=bf16",
        "trainer/optimizer=adam",
        "trainer.optimizer.momentum=0.8",
        "trainer.schedule.warmup=1",
        "protocol.clip.when=after_mask",
        "protocol.decision.checkpoint=best_val",
    ],
)
def test_what_changes_a_training_enters(override: str) -> None:
    overrides = ["dataset=cifar10"] * (override == "dataset.statistics=true")
    assert run_identity(*overrides, override) != run_identity(*overrides)
    assert spec_digest(*overrides, override) != spec_digest(*overrides)


@pytest.mark.parametrize(
    "override",
    [
        "prune.p=0.4",
        "prune.scope=layer",
        "prune=one_shot",
        "prune.iterations=5",
        "prune/score=random",
        "prune.rewind.epoch=2",
        "prune/rewind=fresh",
        "prune.exclude=[linear.*]",
        "prune.measure=gini",
        "protocol.rewind.bn_buffers=reset",
    ],
)
def test_pruning_enters_the_runs_identity_and_not_the_trainings(override: str) -> None:
    assert run_identity(override) != run_identity()
    assert spec_digest(override) == spec_digest()


def test_the_protocol_enters_where_it_matters() -> None:
    assert run_identity("protocol.one_shot.source=best") == run_identity()
    assert run_identity("prune=one_shot", "protocol.one_shot.source=best") != run_identity("prune=one_shot")
    assert run_identity("protocol.sap.ceil=false") != run_identity()
    assert run_identity("prune=one_shot", "protocol.sap.ceil=false") == run_identity("prune=one_shot")


def test_dense_is_one_training_whatever_the_iterations() -> None:
    assert run_identity("prune=dense", "prune.iterations=2") == run_identity("prune=dense")


def test_the_same_network_under_another_name_is_the_same() -> None:
    assert run_identity("model=resnet50", "dataset=cifar10") == run_identity(
        "model=torchvision", "model.name=resnet50", "dataset=cifar10", "prune.iterations=15"
    )


def test_names_come_from_classes_and_every_folder_is_below_output_dir(tmp_path) -> None:
    run = Run(composed("prune=sap", "prune/score=random", f"output_dir={tmp_path}", "prune.exclude=['../../*.weight']"))
    assert run.folder.parent == tmp_path / "runs"
    assert run.name.startswith("fashion_mnist-mlp-T30-global-sap-0.5-1-0-1-random-without_.._.._.weight-seed0-")


@pytest.mark.parametrize(
    "other",
    [
        request(iteration=1),
        request(keep=5),
        request(start=2.0),
        request(until=1),
        request(first_epoch=1),
    ],
)
def test_iteration_masks_start_and_epochs_enter_a_training(other: TrainRequest) -> None:
    assert training_id(SPEC, other) != training_id(SPEC, request())


@pytest.mark.parametrize(
    "changed", [{"seed": 4}, {"data": "e"}, {"model": "n"}, {"optimizer": Adam()}, {"optimizer": Sgd(momentum=0.5)}]
)
def test_settings_data_and_model_enter_a_training(changed) -> None:
    assert training_id(replace(SPEC, **changed), request()) != training_id(SPEC, request())


def test_the_engines_version_enters(monkeypatch) -> None:
    before = training_id(SPEC, request())
    monkeypatch.setattr("src.store.digest.ENGINE_VERSION", 10_000)
    assert training_id(SPEC, request()) != before


def test_tensors_are_known_by_content_not_by_name() -> None:
    zeros, ones = {"mean": torch.zeros(3)}, {"mean": torch.ones(3)}
    assert tensors_digest(zeros) != tensors_digest(ones)
    assert tensors_digest({"other": torch.zeros(3)}) == tensors_digest(zeros)
    assert tensors_digest({"mean": torch.zeros(3, 1)}) != tensors_digest(zeros)


def test_a_digest_never_changes() -> None:
    assert digest({"a": [1, 2.5, None], "b": "x"}) == "6739d783db2ab3fd0e308ed566ca0427"
    assert tensors_digest({"w": torch.arange(3.0)}) == "9af943c90435c4f16ad1d5ae150e69c2"


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


@dataclass(frozen=True)
class Placed(Part):
    size: int = 1
    root: str = setting("here", identity=False)


def test_a_part_is_its_code_and_its_settings_without_those_that_do_not_matter() -> None:
    found = settings_of(Placed(2, "there"))
    assert found.keys() == {"code", "size"}
    assert len(found["code"]) == 32


def digests(*overrides: str) -> dict[str, str]:
    return Run(composed("prune=sap", *overrides)).digests


@pytest.mark.parametrize("override", ["seed=1", "prune.p=0.4", "prune.scope=layer", "dataset.root=elsewhere"])
def test_digests_for_readers_are_those_of_all_seeds(override: str) -> None:
    assert digests(override) == digests()


@pytest.mark.parametrize(
    ("override", "name"),
    [
        ("dataset=mnist", "data"),
        ("init_from={}", "model"),
        ("trainer/optimizer=adam", "trainer"),
        ("prune/score=random", "method"),
    ],
)
def test_each_digest_for_readers_is_of_one_thing(tmp_path: Path, override: str, name: str) -> None:
    (tmp_path / "own.npz").write_bytes(b"numbers")
    found, before = digests(override.format(tmp_path / "own.npz")), digests()
    assert [key for key in before if found[key] != before[key]] == [name]
