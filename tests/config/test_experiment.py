"""What an experiment's file says of its networks and settings."""

import yaml

from src.config.experiment import networks, settings_of


def test_the_networks_of_an_experiment_are_those_it_sweeps():
    assert networks("quickstart") == {("fashion_mnist", "mlp"), ("fashion_mnist", "linear")}
    assert networks("no_such_experiment") == frozenset()
    assert networks("paper") == {
        *(
            (dataset, model)
            for dataset in ("cifar10", "fashion_mnist")
            for model in ("linear", "mlp", "cnn", "resnet18")
        ),
        ("cifar100", "wresnet28x8"),
        ("tiny_imagenet", "resnet50"),
    }


def test_an_experiment_of_ones_own_is_found_in_its_folder(tmp_path):
    folder = tmp_path / "conf"
    (folder / "experiment").mkdir(parents=True)
    body = {
        "defaults": ["fig2", {"override /model": "mine"}, "_self_"],
        "trainer": {"epochs": 7},
        "hydra": {"sweeper": {"params": {"model": "mine,cnn"}}},
    }
    (folder / "experiment" / "own.yaml").write_text(yaml.safe_dump(body))
    assert networks("own", [folder]) == {("cifar10", "mine"), ("cifar10", "cnn")}
    assert settings_of("own", [folder]) == {"trainer.epochs": 7}
