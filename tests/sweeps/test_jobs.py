"""Jobs are what Hydra composes for their words."""

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

from src.config.schema import register_schemas
from src.experiments.compose import CONF, jobs_of
from src.experiments.jobs import BadJob, Composer, Job, stored_config
from src.config.settings import settings, settings_dict
from src.store.files import write_text

SWEEP = [
    ("model=mlp", "prune=sap", "prune.p=0.2", "seed=0"),
    ("model=mlp", "prune=sap", "prune.p=0.4", "seed=0"),
    ("model=mlp", "prune=sap", "prune.p=0.4", "seed=1"),
    ("model=mlp", "prune=sap", "seed=1"),
    ("model=cnn", "prune=sap", "seed=1"),
    ("model=mlp", "prune=sap", "prune.p=0.6", "seed=3"),
    ("model=mlp", "seed=2", "seed=4"),
    ("++prune.p=0.6", "seed=3"),
    ("model=mlp", "prune=one_shot", "trainer.train_size=100", "prune.scope=layer"),
    ("model=mlp", "prune=one_shot", "trainer.train_size=200", "prune.scope=neuron"),
    ("model=mlp", "prune=one_shot", "trainer.train_size=null", "prune.scope=global"),
]


@pytest.fixture
def composer_and_hydra():
    register_schemas()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        master = hydra.compose_config("config", [], run_mode=RunMode.MULTIRUN)

        def as_hydra_does(words):
            config = hydra.config_loader.load_sweep_config(master, list(words))
            with open_dict(config):
                del config["hydra"]
            return settings(config)

        yield Composer(hydra.config_loader, master), as_hydra_does


def test_composed_fast_is_composed_right(composer_and_hydra):
    composer, as_hydra_does = composer_and_hydra
    for words in SWEEP:
        assert composer.settings(words) == as_hydra_does(words)


def test_an_error_leaves_the_next_job_alone(composer_and_hydra):
    composer, as_hydra_does = composer_and_hydra
    good, bad = ("prune=sap", "prune.p=0.3", "seed=5"), ("prune=sap", "prune.p=many", "seed=6")
    composer.settings(("prune=sap", "prune.p=0.2", "seed=4"))
    with pytest.raises(Exception, match="many"):
        composer.settings(bad)
    assert composer.settings(good) == as_hydra_does(good)


def test_equal_runs_are_one_and_bad_ones_are_told():
    found = jobs_of(["prune=sap,sap_1_2", "prune.p=0.5,1,3", "prune.q=2"])
    assert [job.config.prune.p for job in found if isinstance(job, Job)] == [0.5, 1]
    (bad, other) = [job for job in found if isinstance(job, BadJob)]
    assert bad.reason == other.reason
    assert "prune.p=3" in bad.reason
    assert "prune=sap" in bad.words


@pytest.mark.parametrize("words", [["prune=sap", "prune.p=0.2"], ["prune=one_shot", "protocol=clean"], ["prune=dense"]])
def test_settings_come_back_from_a_run_s_folder(tmp_path, words):
    (job,) = jobs_of(words)
    write_text(tmp_path / "config.yaml", OmegaConf.to_yaml(OmegaConf.structured(job.config)))
    assert settings_dict(stored_config(tmp_path)) == settings_dict(job.config)


@pytest.mark.parametrize("content", [None, "", "prune: {name: unknown}", "prune: [", "prune: {name: sap, zzz: 1}"])
def test_a_damaged_config_is_an_os_error(tmp_path, content):
    if content is not None:
        write_text(tmp_path / "config.yaml", content)
    with pytest.raises(OSError, match=r"config\.yaml"):
        stored_config(tmp_path)
