"""The jobs that a command line of `src.main` stands for, without running it."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from src.config.schema import register_schemas
from src.experiments.jobs import BadJob, Composer, Job, resolve
from src.experiments.products import expand

CONF = Path(__file__).resolve().parents[2] / "conf"


def jobs_of(words: Sequence[str]) -> list[Job | BadJob]:
    """Jobs of `python -m src.main` with these words, as a sweep. Raises Hydra's and OmegaConf's errors."""
    register_schemas()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        master = hydra.compose_config("config", list(words), run_mode=RunMode.MULTIRUN)
        return jobs(cast(ConfigLoaderImpl, hydra.config_loader), master, list(master.hydra.overrides.task))


def jobs(loader: ConfigLoaderImpl, master: DictConfig, overrides: list[str]) -> list[Job | BadJob]:
    """Jobs of a sweep: of `hydra.sweeper` in its composed configuration, with the overrides of the command line."""
    composer = Composer(loader, master)
    sweeper = OmegaConf.to_container(master.hydra.sweeper)
    assert isinstance(sweeper, dict)
    words = expand(sweeper["params"], sweeper["products"], overrides, composer.parse)
    return resolve(composer, words)
