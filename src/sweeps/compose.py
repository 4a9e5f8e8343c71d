"""Settings as Hydra composes them, and the words of a command line as Hydra reads them."""

import copy
import re
from argparse import ArgumentError, ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra.conf import HydraConf
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import OverrideParseException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from src.config import CONF
from src.config.command_line import command, setting_word
from src.config.part import shown
from src.config.schema import Config, register_schemas
from src.config.settings import KINDS, check, job_settings, takes
from src.errors import UserError

Words = tuple[str, ...]
"""Overrides of one job, as on the command line."""

SEED = re.compile(r"\$\{[^}]*\bseed\b")
"""A value that is made from the seed."""

HYDRAS_OWN = ("hydra_logging", "job_logging", "launcher", "sweeper", "output", "env", "help", "hydra_help")
NOT_A_JOBS = tuple(f"~hydra/{group}" for group in HYDRAS_OWN)
"""Hydra's own settings, which no job needs: not loading them saves a fifth of the time."""


@contextmanager
def hydra_with(config_dir: str | None) -> Iterator[None]:
    """Hydra as `src.main` starts it, with the user's own folder of choices; for commands that compose without it."""
    if config_dir is not None and not Path(config_dir).is_dir():
        raise UserError(f"--config-dir {config_dir}: there is no such folder")
    register_schemas()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def search_path(config_dir: str | None) -> list[str]:
    """The override by which Hydra finds the choices in `config_dir`, beside ours."""
    return [] if config_dir is None else [f'hydra.searchpath=["file://{Path(config_dir).resolve()}"]']


class Composer:
    """Settings of jobs, composed within `hydra.main` or `hydra_with`.

    Files are read once for all jobs that differ in single values only: Hydra takes 0.1 s, a value 5 ms.
    """

    def __init__(self, words: Sequence[str] = (), config_dir: str | None = None) -> None:
        """`words`: those of the command, which may name more folders of choices; config_dir: for the records."""
        loader = GlobalHydra.instance().config_loader()
        parser = OverridesParser.create(config_loader=loader)
        self._config_dir = config_dir
        self._searched = [word for word in words if word.startswith("hydra.searchpath=")]
        self._read = cache(partial(read, parser))
        sources = loader.get_sources()
        self._is_group = cache(lambda key: "/" in key or any(source.is_group(key) for source in sources))
        self._composed = cache(self._compose)
        self._settings = cache(self._check)
        self._takes = cache(self._part_takes)
        self._files_name_seed = cache(lambda files: bool(SEED.search(OmegaConf.to_yaml(self._composed(files)[0]))))

    def parse(self, words: Sequence[str]) -> list[Override]:
        """Words of a command line as Hydra reads them. Raises UserError for what it cannot read."""
        return [self._read(word) for word in words]

    def sweeper(self, words: Words) -> dict[str, Any]:
        """The settings of the sweeper with these choices and overrides of Hydra's own settings."""
        config = compose("config", list(words), return_hydra_config=True)
        sweeper: Any = OmegaConf.to_container(config.hydra.sweeper)
        return {"params": sweeper.get("params") or {}, "products": sweeper.get("products") or {}}

    def settings(self, words: Words) -> Config:
        """Checked settings of one job. Raises UserError, and what Hydra and OmegaConf raise."""
        seeds = [override.value() for override in self.parse(words) if override.key_or_group == "seed"]
        if len(seeds) == 1 and isinstance(seeds[0], int) and not self._names_seed(words):
            others = tuple(word for word in words if not word.startswith("seed="))
            config = replace(self._settings(others), seed=seeds[0])  # nothing else depends on the seed
            check(config)
        else:
            config = self._settings(words)
        return replace(config, overrides=list(words), config_dir=self._config_dir)

    def foreign(self, words: Words) -> Words:
        """Those of the words that set what the job's own part does not take, as `prune.ratio` with `prune=dense`."""
        files = self._files(words)
        values = ((word, self._read(word).key_or_group) for word in words if word not in files)
        return tuple(word for word, key in values if not self._takes(files, key))

    def _check(self, words: Words) -> Config:
        config, hydra = self._composed(self._files(words))
        config = copy.deepcopy(config)
        try:
            for override in filter(self._is_value, self.parse(words)):
                OmegaConf.update(config, override.key_or_group, override.value())
        except OmegaConfBaseException:
            config, hydra = self._compose(words)  # in whose message is the override's name
        with _told(hydra):
            return job_settings(config, cast(HydraConf, hydra))

    def _files(self, words: Words) -> Words:
        """Those of the words that choose files, and +key and ~key, which are Hydra's to order."""
        return tuple(word for word in words if not self._is_value(self._read(word)))

    def _compose(self, words: Words) -> tuple[DictConfig, DictConfig]:
        """The configuration, and Hydra's own part of it."""
        config = compose("config", [*self._searched, *words, *NOT_A_JOBS], return_hydra_config=True)
        hydra = config.hydra
        with open_dict(config):
            del config["hydra"]
        return config, hydra

    def _is_value(self, override: Override) -> bool:
        """Whether it sets a value."""
        changes = not (override.is_add() or override.is_force_add() or override.is_delete())
        return changes and not self._is_group(override.key_or_group)

    def _names_seed(self, words: Words) -> bool:
        """Whether a setting is made from the seed's, as `${seed}`."""
        return any("${" in word for word in words) or self._files_name_seed(self._files(words))

    def _part_takes(self, files: Words, key: str) -> bool:
        """Whether the part that `key` belongs to has it; also where it belongs to none."""
        config, _ = self._composed(files)
        for section in KINDS:
            node = OmegaConf.select(config, section)
            if key.startswith(f"{section}.") and isinstance(node, DictConfig):
                return takes(section, node, key.removeprefix(f"{section}."))
        return True


@contextmanager
def _told(hydra: DictConfig) -> Iterator[None]:
    """Hydra's own part is known, as in a job: values may name it, as `${hydra:runtime.choices.model}`."""
    known: Any = HydraConfig.instance()
    before, known.cfg = known.cfg, OmegaConf.create({"hydra": hydra})
    try:
        yield
    finally:
        known.cfg = before


def parsed(arguments: Sequence[str], *flags: str) -> Namespace:
    """A command line's `words`, `config_dir`, `help` and `flags`. Raises UserError for other flags."""
    parser = ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    for flag in flags:
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("-m", "--multirun", action="store_true")  # several values are a sweep with and without it
    parser.add_argument("-cd", "--config-dir")
    try:
        asked, words = parser.parse_known_args(arguments)
    except ArgumentError as error:
        raise UserError(str(error)) from error
    if unknown := [word for word in words if word.startswith("-")]:
        raise UserError(f"{unknown[0]} is not known; flags: --config-dir FOLDER, {', '.join(flags)}")
    return Namespace(**vars(asked), words=words)


def check_words(arguments: Sequence[str]) -> None:
    """Raise UserError for an argument of `src.main` that Hydra cannot read, before it is given to Hydra."""
    parser = OverridesParser.create()
    swept = {"-m", "--multirun"} & set(arguments) or any(w.startswith(("experiment=", "hydra.")) for w in arguments)
    for word in arguments:
        if "=" in word and not word.startswith("-") and read(parser, word).is_sweep_override() and not swept:
            raise UserError(
                f"{word} has several values: add -m to run each of them, or quote it as one: {example(word)}"
            )


def read(parser: OverridesParser, word: str) -> Override:
    """A word of a command line. Raises UserError where it cannot be read, or chooses nothing of a group."""
    try:
        (override,) = parser.parse_overrides([word])
    except OverrideParseException as error:
        reason = error.message.splitlines()[0]
        raise UserError(f"{word} cannot be read ({reason}); quote its value, as in: {example(word)}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, hundreds of brackets
        raise UserError(f"{shown(word)} cannot be read: {error}") from None
    group, fixed = CONF / override.key_or_group, not (override.is_delete() or override.is_sweep_override())
    if group.is_dir() and fixed and not _may_name_a_file(override.value()):
        choices = ", ".join(sorted(path.stem for path in group.glob("*.yaml")))
        raise UserError(f"{shown(word)} is not allowed: choose one of {choices}, or leave it out")
    return override


def _may_name_a_file(value: object) -> bool:
    """Whether a group's value can be one of its choices; names and values, `{a: 1}`, are Hydra's to merge."""
    text = getattr(value, "text", value)
    return isinstance(value, dict) or (isinstance(text, str) and text.isprintable() and len(text) < 200)


def example(word: str) -> str:
    """A command with KEY=VALUE so that neither the shell nor Hydra finds a meaning in its value."""
    key, _, value = word.partition("=")
    return command("src.main", [setting_word(key, value)])
