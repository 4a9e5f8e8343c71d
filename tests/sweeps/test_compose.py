"""Settings composed from cached files are what Hydra composes."""

from dataclasses import replace

import pytest
from hydra import compose
from omegaconf import open_dict

from src.config.settings import job_settings
from src.errors import UserError
from src.sweeps.compose import Composer, hydra_with

SWEEP = [
    ("model=mlp", "prune=sap", "prune.p=0.2", "seed=0"),
    ("model=mlp", "prune=sap", "prune.p=0.4", "seed=0"),
    ("model=mlp", "prune=sap", "prune.p=0.4", "seed=1"),
    ("model=mlp", "prune=sap", "seed=1"),
    ("model=cnn", "prune=sap", "seed=1"),
    ("model=mlp", "seed=2", "seed=4"),
    ("++prune.p=0.6", "seed=3"),
    ("model=mlp", "prune=random", "prune.ratio=0.1", "prune/score=snip", "seed=0"),
    ("model=mlp", "trainer/optimizer=adam", "trainer.optimizer.weight_decay=0", "seed=7"),
    ("model=mlp", "prune=one_shot", "dataset.train_size=100", "prune.scope=layer"),
    ("model=mlp", "prune=one_shot", "dataset.train_size=null", "prune.scope=global"),
    ("model=mlp", "prune.iterations=${seed}", "seed=1"),
    ("model=mlp", "prune.iterations=${seed}", "seed=2"),
]


def as_hydra_does(words):
    config = compose("config", list(words), return_hydra_config=True)
    hydra = config.hydra
    with open_dict(config):
        del config["hydra"]
    return replace(job_settings(config, hydra), overrides=list(words))


@pytest.fixture(scope="module")
def composer():
    with hydra_with(None):
        yield Composer()


@pytest.mark.parametrize("words", SWEEP)
def test_composed_fast_is_composed_right(composer, words):
    assert composer.settings(words) == as_hydra_does(words)


def test_an_error_leaves_the_next_job_alone(composer):
    good, bad = ("prune=sap", "prune.p=0.3", "seed=5"), ("prune=sap", "prune.p=many", "seed=6")
    composer.settings(("prune=sap", "prune.p=0.2", "seed=4"))
    with pytest.raises(UserError, match="many"):
        composer.settings(bad)
    with pytest.raises(UserError, match="seed=-1"):
        composer.settings(("prune=sap", "seed=-1"))
    assert composer.settings(good) == as_hydra_does(good)


def test_a_value_may_name_what_hydra_knows(composer):
    words = ("model=mlp", "experiment_name=${hydra:runtime.choices.model}")
    assert composer.settings(words).experiment_name == "mlp"
