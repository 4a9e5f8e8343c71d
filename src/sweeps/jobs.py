"""Jobs of a sweep: overrides, checked settings and the run they stand for."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import cast

import yaml  # type: ignore[import-untyped]
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from src.config.schema import PRUNE_SCHEMAS, Config
from src.errors import UserError, message
from src.experiments.products import Words
from src.naming import run_name
from src.run_identity import build_run_id, build_spec
from src.config.settings import settings
from src.training.spec import TrainingSpec


@dataclass(frozen=True, eq=False)
class Job:
    """One run of a sweep."""

    words: Words
    config: Config
    spec: TrainingSpec
    identity: str

    @property
    def folder(self) -> Path:
        """Where its records are, or will be."""
        return Path(self.config.output_dir) / "runs" / run_name(self.config, self.identity)


@dataclass(frozen=True)
class BadJob:
    """Overrides that make no run, and why."""

    words: Words
    reason: str


HYDRAS_OWN = ("hydra_logging", "job_logging", "launcher", "sweeper", "output", "env")
WITHOUT_HYDRA = [f"~hydra/{group}" for group in HYDRAS_OWN]
"""Hydra's own settings, which are no part of a job's: not loading them saves a fifth of the time."""


class Composer:
    """Settings of jobs as Hydra composes them; files only once for jobs that differ in single values (50 ms each)."""

    def __init__(self, loader: ConfigLoaderImpl, master: DictConfig) -> None:
        parser = OverridesParser.create(config_loader=loader)
        self._loader = loader
        self._name = master.hydra.job.config_name
        self._read = cache(lambda word: parser.parse_overrides([word])[0])
        self._is_group = cache(lambda key: bool(loader.get_group_options(key)))
        self._composed = cache(self._compose)
        self._settings = cache(self._check)

    def parse(self, words: Sequence[str]) -> list[Override]:
        """Words of a command line as Hydra reads them."""
        return [self._read(word) for word in words]

    def settings(self, words: Words) -> Config:
        """Checked settings of one job. Raises UserError, and what Hydra and OmegaConf raise."""
        seeds = [o.value() for o in self.parse(words) if o.input_line and o.input_line.startswith("seed=")]
        if not (len(seeds) == 1 and isinstance(seeds[0], int) and seeds[0] >= 0):
            return self._check(words)
        others = tuple(word for word in words if not word.startswith("seed="))
        return replace(self._settings((*others, "seed=0")), seed=seeds[0])  # nothing else depends on the seed

    def _check(self, words: Words) -> Config:
        overrides = self.parse(words)
        files = tuple(word for word, o in zip(words, overrides, strict=True) if not self._is_value(o))
        config = copy.deepcopy(self._composed(files))
        self._loader._apply_overrides_to_config([o for o in overrides if self._is_value(o)], config)
        return settings(config)

    def _compose(self, words: Words) -> DictConfig:
        config = self._loader.load_configuration(self._name, [*words, *WITHOUT_HYDRA], run_mode=RunMode.RUN)
        with open_dict(config):
            del config["hydra"]
        return config

    def _is_value(self, override: Override) -> bool:
        """Whether it sets a value; choices of files, +key and ~key are Hydra's to order."""
        changes = not (override.is_add() or override.is_force_add() or override.is_delete())
        return changes and not self._is_group(override.key_or_group)


def resolve(composer: Composer, sweep: Iterable[Words]) -> list[Job | BadJob]:
    """Checked settings and identity of each job; of jobs that are the same run, the first."""
    found: dict[object, Job | BadJob] = {}
    for words in sweep:
        try:
            config = composer.settings(words)
            spec = build_spec(config)
            job = Job(words, config, spec, build_run_id(config, spec))
            found.setdefault(job.identity, job)
        except (UserError, HydraException, OmegaConfBaseException) as error:
            found[words] = BadJob(words, message(error))
    return list(found.values())


def stored_config(folder: Path) -> Config:
    """The settings that a run's folder was made with. Raises OSError where they are missing or of another version."""
    try:
        loaded = OmegaConf.load(folder / "config.yaml")
        prune = PRUNE_SCHEMAS[str(loaded.prune.name)]()
        return settings(cast(DictConfig, OmegaConf.merge(OmegaConf.structured(Config(prune=prune)), loaded)))
    except (KeyError, UserError, OmegaConfBaseException, yaml.YAMLError) as error:
        raise OSError(f"{folder / 'config.yaml'} cannot be read: {error}") from error
