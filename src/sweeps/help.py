"""What `python -m src.main --help` says, and what a shell completes. Hydra's own way takes half an `import torch`.

What a key means stands in its class's docstring, as `p, q: norms; ratio: share`, and nowhere else.
"""

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from src.config import CONF
from src.config.command_line import setting_word
from src.config.part import Part, plain
from src.config.schema import Config
from src.config.typed import types_of
from src.config.words import in_words
from src.errors import UserError
from src.sweeps.compose import parsed
from src.sweeps.jobs import MISTAKES, Job, jobs_of
from src.sweeps.report import show

GROUPS = (
    "dataset",
    "model",
    "prune",
    "prune/score",
    "prune/rewind",
    "trainer",
    "trainer/optimizer",
    "trainer/schedule",
    "protocol",
    "tracking",
    "experiment",
    "hydra/launcher",
)

INDENT = 36
"""Columns of `key=value`."""

SHELLS_OWN = ("choices", "overrides", "config_dir")
"""Settings that are not for the user to make."""

HELP = """\
Prune networks by the PQ Index (Diao et al., ICLR 2023) and record PQI, accuracy and sparsity.

Use:  python -m src.main [GROUP=CHOICE ...] [KEY=VALUE ...] [-m] [--dry-run] [--config-dir FOLDER]
      -m            runs every combination of values given with commas, as in prune.scope=neuron,layer,global -m
      --dry-run     lists what would be run
      --config-dir  your own folder of choices, beside those of conf/

== Groups and their choices ==
{choices}

== All keys, as they stand with these choices ==
{keys}

Examples:
  python -m src.main prune=sap model=resnet18 -m
  python -m src.main prune=sap prune.p=0.2,0.5,0.8 model=cnn seed=0,1,2,3 -m
  python -m src.main experiment=quickstart
Tab completion:  eval "$(sap -sc install=bash)", then  sap prune=<TAB>, sap prune.scope=<TAB>
"""


@dataclass(frozen=True)
class Key:
    """A key as it stands; `choices` are its words where it is one of a few, `text` says what it is."""

    key: str
    value: object
    choices: tuple[str, ...]
    kind: str
    text: str

    def line(self) -> str:
        allowed = " | ".join(self.choices) or self.kind
        told = textwrap.wrap(f"{allowed}: {self.text}", 116 - INDENT, break_on_hyphens=False)
        word = setting_word(self.key, self.value)
        first = [word, " " * INDENT + told[0]] if len(word) >= INDENT else [word.ljust(INDENT) + told[0]]
        return "\n".join([*first, *(" " * INDENT + line for line in told[1:])])


def show_help(arguments: Sequence[str]) -> None:
    """Print the groups, and all keys with the choices of these arguments. Raises UserError, Hydra's and OmegaConf's."""
    asked = parsed(arguments, "--dry-run")
    config = _config(asked.words, asked.config_dir)
    sections = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    told = [_section(name, value) for name, value in sections.items() if dataclasses.is_dataclass(value)]
    told.append("\n".join(key.line() for key in keys(config) if "." not in key.key))
    choices = _choices([CONF, *([Path(asked.config_dir)] if asked.config_dir else [])])
    show(HELP.format(choices=choices, keys="\n\n".join(told)))


def completions(line: str) -> list[str]:
    """Words that may end the command line, where its last word sets a key that has a few choices; else none."""
    *words, last = line.split()[1:] or [""]
    name, equals, value = last.partition("=")
    if not equals or line.endswith(" "):
        return []
    try:
        config = _config([word for word in words if not word.startswith("-")], None)
    except MISTAKES:
        return []
    chosen, comma, _ = value.rpartition(",")
    found = [key.choices for key in keys(config) if key.key == name]
    return [f"{name}={chosen}{comma}{choice}" for choices in found for choice in choices]


def keys(settings: Any, key: str = "") -> Iterator[Key]:
    """Every key of settings and of the sections within, but for those that the shell fills in."""
    texts, types = documented(type(settings)), types_of(cast(Any, type(settings)))
    for field in dataclasses.fields(settings):
        value, name = getattr(settings, field.name), f"{key}.{field.name}" if key else field.name
        if dataclasses.is_dataclass(value):
            yield from keys(value, name)
        elif name not in SHELLS_OWN:
            kind = types[field.name]
            words = ("true", "false") if kind is bool else field.metadata.get("words", ())
            yield Key(name, plain(value), tuple(words), "" if words else in_words(kind), texts.get(field.name, ""))


def documented(cls: type) -> dict[str, str]:
    """Of a dataclass's fields what the docstrings, its own and those it inherits, say after `name:`."""
    found: dict[str, str] = {}
    names = "|".join(field.name for field in dataclasses.fields(cls))
    entry = re.compile(rf"(?:^|(?<=; )|(?<=\. ))((?:{names})(?:, (?:{names}))*): ")
    for base in reversed(cls.__mro__):
        for paragraph in inspect.cleandoc(vars(base).get("__doc__") or "").split("\n\n"):
            _, *parts = entry.split(" ".join(paragraph.split()))
            for keys_, text in zip(parts[::2], parts[1::2], strict=True):
                found |= dict.fromkeys(keys_.split(", "), text.rstrip(" ;."))
    return found


def _config(words: Sequence[str], config_dir: str | None) -> Config:
    job = jobs_of(words, config_dir)[0]
    if not isinstance(job, Job):
        raise UserError(job.reason)
    return job.run.config


def _section(name: str, settings: Any) -> str:
    """A section's keys under what it is: of a part, its choice and the first sentence on it."""
    about = " ".join(inspect.cleandoc(type(settings).__doc__ or "").split("\n\n")[0].split())
    chosen = f"={settings.kind()}" if isinstance(settings, Part) else ""
    return "\n".join([f"{name}{chosen}  {about}", *(f"  {key.line()}" for key in keys(settings, name))])


def _choices(folders: Sequence[Path]) -> str:
    """A line for each group."""
    files = {group: [path for conf in folders for path in (conf / group).glob("*.yaml")] for group in GROUPS}
    found = {group: sorted({path.stem for path in paths}) for group, paths in files.items()}
    return "\n".join(f"{group}: {', '.join(choices)}" for group, choices in found.items() if choices)
