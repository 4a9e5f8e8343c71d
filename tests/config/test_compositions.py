"""Every composition that `conf/` offers."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from src.config import CONF
from src.config.schema import Config, register_schemas
from src.config.settings import settings, settings_dict
from src.run import Run
from src.sweeps.help import completions, keys
from tests.support import ROOT

GROUPS = {
    group: sorted(path.stem for path in Path(CONF, group).glob("*.yaml"))
    for group in ("dataset", "model", "prune", "trainer", "protocol", "tracking")
}
NESTED = {
    group: sorted(path.stem for path in Path(CONF, group).glob("*.yaml"))
    for group in ("prune/score", "prune/rewind", "trainer/optimizer", "trainer/schedule")
}
NEEDS_A_SETTING = {"folder": "dataset.root=images", "timm": "model.name=resnet18"}


def composed(*overrides: str) -> Config:
    register_schemas()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return settings(compose("config", list(overrides)))


def test_what_the_paper_and_the_readme_name_is_there() -> None:
    assert set(GROUPS["dataset"]) >= {
        "fashion_mnist",
        "cifar10",
        "cifar100",
        "tiny_imagenet",
        "mnist",
        "svhn",
        "digits",
    }
    assert set(GROUPS["model"]) >= {"linear", "mlp", "cnn", "resnet9", "resnet18", "resnet50"}
    assert set(GROUPS["model"]) >= {"wresnet28x2", "wresnet28x8"}
    assert set(GROUPS["prune"]) >= {"sap", "lottery_ticket", "one_shot", "dense"}
    assert set(GROUPS["trainer"]) >= {"paper", "quick", "smoke"}
    assert GROUPS["protocol"] == ["clean", "reference"]
    assert GROUPS["tracking"] == ["none", "offline", "wandb"]


@pytest.mark.parametrize(("dataset", "model"), list(product(GROUPS["dataset"], GROUPS["model"])))
def test_every_data_set_composes_with_every_model(dataset: str, model: str) -> None:
    own = [NEEDS_A_SETTING[name] for name in (dataset, model) if name in NEEDS_A_SETTING]
    config = composed(f"model={model}", f"dataset={dataset}", *own)
    assert config.dataset.short.startswith(dataset)
    assert config.model.short.startswith(model)


@pytest.mark.parametrize(
    ("prune", "trainer", "protocol", "tracking"),
    list(product(GROUPS["prune"], GROUPS["trainer"], GROUPS["protocol"], GROUPS["tracking"])),
)
def test_every_method_composes_with_every_trainer_and_protocol(
    prune: str, trainer: str, protocol: str, tracking: str
) -> None:
    config = composed(f"prune={prune}", f"trainer={trainer}", f"protocol={protocol}", f"tracking={tracking}")
    assert config.prune.prunings == (0 if prune == "dense" else 30)
    assert len(Run(config).identity) == 32
    assert settings_dict(config)["prune"]["name"] == config.prune.kind()


@pytest.mark.parametrize(("group", "choice"), [(group, name) for group in NESTED for name in NESTED[group]])
def test_every_part_within_a_part_composes(group: str, choice: str) -> None:
    config = composed(f"{group}={choice}")
    section, name = group.split("/")
    assert getattr(getattr(config, section), name).kind() in (choice, choice.replace("adamw", "adam_w"))


@pytest.mark.parametrize("scope", ["neuron", "layer", "global"])
def test_every_method_has_every_scope(scope: str) -> None:
    for prune in ("sap", "lottery_ticket", "one_shot"):
        assert composed(f"prune={prune}", f"prune.scope={scope}").prune.scope == scope


@pytest.mark.parametrize(
    ("model", "dataset", "iterations"),
    [
        ("linear", "fashion_mnist", 30),
        ("mlp", "fashion_mnist", 30),
        ("cnn", "cifar10", 30),
        ("resnet18", "cifar10", 15),
        ("resnet50", "tiny_imagenet", 15),
        ("wresnet28x8", "cifar100", 15),
    ],
)
def test_a_model_brings_the_papers_data_set_and_number_of_iterations(model: str, dataset: str, iterations: int) -> None:
    config = composed(f"model={model}")
    assert (config.dataset.short, config.prune.iterations) == (dataset, iterations)
    assert composed(f"model={model}", "dataset=mnist").dataset.short == "mnist"


def test_the_papers_protocol_is_the_default_and_only_the_quick_start_is_quick() -> None:
    assert composed().trainer.epochs == 200
    epochs = {name: composed(f"experiment={name}").trainer.epochs for name in ("fig2", "paper", "quickstart")}
    assert epochs == {"fig2": 200, "paper": 200, "quickstart": 3}
    assert composed("dataset=tiny_imagenet").trainer.batch_size == 500
    assert composed("dataset=tiny_imagenet", "trainer=quick").trainer.batch_size == 500


@pytest.mark.parametrize("experiment", sorted(path.stem for path in Path(CONF, "experiment").glob("*.yaml")))
def test_every_experiment_composes_and_tells_its_command(experiment: str) -> None:
    config = composed(f"experiment={experiment}")
    assert config.experiment_name == experiment
    lines = Path(CONF, "experiment", f"{experiment}.yaml").read_text().splitlines()
    assert any(line == f"# python -m src.main experiment={experiment}" for line in lines[:2])


def test_the_command_line_beats_everything() -> None:
    config = composed("experiment=quickstart", "prune.iterations=2", "trainer.lr=0.5", "trainer.batch_size=10")
    assert (config.prune.iterations, config.trainer.lr, config.trainer.batch_size) == (2, 0.5, 10)


def test_the_flag_for_sweeps_may_stand_anywhere() -> None:
    words = ["prune=dense", "-m", "dataset=digits", "seed=0,1", "prune.p=1"]
    done = subprocess.run([sys.executable, "-m", "src.main", *words], cwd=ROOT, capture_output=True, text=True)
    assert "prune.p" in done.stderr
    assert "unrecognized" not in done.stderr


def test_help_names_every_choice() -> None:
    text = subprocess.run(
        [sys.executable, "-m", "src.main", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for group, choices in GROUPS.items():
        assert f"{group}: {', '.join(choices)}" in text
    assert "schema" not in text
    assert "prune.eta_r=0 " in text
    assert "trainer.optimizer.nesterov=true" in text
    assert "prune.scope=global                  neuron | layer | global: the groups that are pruned" in text


def test_the_shell_completes_choices() -> None:
    """What bash's completion asks Hydra for `prune=`."""
    words = subprocess.run(
        [sys.executable, "-m", "src.main", "-sc", "query=bash"],
        cwd=ROOT,
        env={"COMP_LINE": "sap prune=", "COMP_POINT": "10", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {f"prune={name}" for name in GROUPS["prune"]} <= set(words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sap prune.scope=", ["prune.scope=neuron", "prune.scope=layer", "prune.scope=global"]),
        ("sap -m prune=sap prune.measure=pqi,g", [f"prune.measure=pqi,{word}" for word in ("pqi", "gini", "hoyer")]),
        ("sap trainer.optimizer.nesterov=", [f"trainer.optimizer.nesterov={word}" for word in ("true", "false")]),
        ("sap prune=dense prune.measure=", []),
        ("sap prune=", []),
        ("sap prune.p=", []),
        ("sap prune=nothing prune.scope=", []),
        ("sap ", []),
    ],
)
def test_all_choices_of_a_key_are_completed(line: str, words: list[str]) -> None:
    assert completions(line) == words


@pytest.mark.parametrize("group", [*GROUPS, *NESTED])
def test_every_key_is_explained(group: str) -> None:
    for choice in {**GROUPS, **NESTED}[group]:
        config = composed(f"{group}={choice}", *filter(None, [NEEDS_A_SETTING.get(choice)]))
        assert [key.key for key in keys(config) if not key.text] == []


def test_several_values_need_a_flag_and_a_mistake_is_one_line() -> None:
    for word, told in (("seed=0,1", "add -m to run each of them"), ("prune.p=3", "prune.p=3.0 is not allowed")):
        done = subprocess.run(
            [sys.executable, "-m", "src.main", word, "tracking=none"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"error: {word}") or done.stderr.startswith(f"error: {told}")
        assert told in done.stderr
        assert done.stderr.count("\n") == 1
