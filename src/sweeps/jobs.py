"""The jobs that a command line of `src.main` stands for: the runs of a sweep."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import product

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from src.config.schema import Config
from src.errors import UserError, message
from src.run import Run
from src.sweeps.compose import Composer, Words, example, hydra_with, search_path
from src.training.optimizers import Torch

MISTAKES = (UserError, HydraException, OmegaConfBaseException)
"""Errors that are the user's to mend."""


@dataclass(frozen=True, eq=False)
class Job:
    """One run of a sweep, and the words that make it."""

    words: Words
    run: Run


@dataclass(frozen=True)
class BadJob:
    """Words that make no run, and why."""

    words: Words
    reason: str


def run_of(config: Config) -> Run:
    """The run that settings describe. Data of unknown content are read, where they are here: its identity needs it."""
    if config.dataset.content_digest() is None:
        with suppress(UserError):  # told when the run is done
            config.dataset.load(download=False)
    return Run(config)


def jobs_of(words: Sequence[str], config_dir: str | None = None) -> list[Job | BadJob]:
    """Jobs of `python -m src.main -m` with these words. Raises UserError, and what Hydra and OmegaConf raise."""
    with hydra_with(config_dir):
        return jobs([*search_path(config_dir), *words], config_dir)


def jobs(words: Sequence[str], config_dir: str | None) -> list[Job | BadJob]:
    """The same within `hydra.main`: the jobs of each experiment named, with the other words."""
    composer = Composer(words, config_dir)
    overrides = composer.parse(words)
    hydras_own = [word for word, override in zip(words, overrides, strict=True) if override.is_hydra_override()]
    others = [word for word in words if word not in hydras_own and not word.startswith("experiment=")]
    sweep: dict[Words, None] = {}
    for experiment in _experiments(overrides):
        sweeper = composer.sweeper((*hydras_own, *experiment))
        axes = expand(sweeper["params"], sweeper["products"], composer.parse([*experiment, *others]), composer)
        sweep |= dict.fromkeys(axes)
    return _resolved(composer, list(sweep))


def expand(
    params: Mapping[str, object],
    products: Mapping[str, Mapping[str, object]],
    arguments: Sequence[Override],
    composer: Composer,
) -> list[Words]:
    """The jobs of all products, in order, those that read the same once.

    A product's axes are `params`, its own and `arguments`; of one key the last counts, so that the command line
    replaces an axis of the experiment. Without products, `params` and `arguments` are the one product.
    """
    found: dict[Words, None] = {}
    for axes in (products or {"all": {}}).values():
        own = composer.parse([f"{key}={value}" for key, value in {**params, **axes}.items()])
        values = {override.get_key_element(): _axis(override) for override in [*own, *arguments]}
        found |= dict.fromkeys(product(*values.values()))
    return list(found)


def _axis(override: Override) -> list[str]:
    """The words, one for each value, that a word of a sweep stands for."""
    key = override.get_key_element()
    if not override.is_sweep_override():
        return [f"{key}={override.get_value_element_as_str()}"]
    if not override.is_discrete_sweep():
        raise UserError(f"{override.input_line}: a sweep goes over single values; give them as {key}=A,B,C")
    values = [f"{key}={value}" for value in override.sweep_string_iterator()]
    if key == "output_dir":
        word = str(override.input_line)
        raise UserError(f"{word}: a sweep has one output_dir; with a comma in its name it is written {example(word)}")
    return values


def _experiments(overrides: Iterable[Override]) -> list[Words]:
    """The choices of `experiment`, each as words; one of none where there is no experiment."""
    named = [override for override in overrides if override.key_or_group == "experiment"]
    return [(word,) for word in _axis(named[-1])] if named else [()]


def _resolved(composer: Composer, sweep: Sequence[Words]) -> list[Job | BadJob]:
    """Checked settings and identity of each job; of jobs that are the same run, the first."""
    found: dict[object, Job | BadJob] = {}
    for words in _each_with_its_own(composer, sweep):
        try:
            config = composer.settings(words)
            if isinstance(config.trainer.optimizer, Torch):
                _try(config.trainer.optimizer)
            job = Job(words, run_of(config))
            found.setdefault(job.run.identity, job)
        except MISTAKES as error:
            found[words] = BadJob(words, message(error))
    return list(found.values())


@cache
def _try(optimizer: Torch) -> None:
    """Raises UserError where the arguments of PyTorch's class are not such; only PyTorch knows."""
    from src.training.checks import check_optimizer

    check_optimizer(optimizer)


def _each_with_its_own(composer: Composer, sweep: Sequence[Words]) -> list[Words]:
    """Jobs without the words that their parts do not take, as `prune.ratio` of `prune=dense`, where another's does."""
    foreign = {words: _foreign(composer, words) for words in sweep}
    taken = {word for words in sweep for word in words if word not in foreign[words]}
    return list(dict.fromkeys(tuple(w for w in words if w not in foreign[words] or w not in taken) for words in sweep))


def _foreign(composer: Composer, words: Words) -> Words:
    try:
        return composer.foreign(words)
    except MISTAKES:  # told when the job is composed
        return ()
