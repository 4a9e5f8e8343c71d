"""From Hydra's configuration to checked settings, and the errors a user sees. Imports no PyTorch.

A section that holds a part names its class by `_target_`; the class is imported, must be a part of the section's kind,
and is the section's schema. What is read back from disk never comes here.
"""

import dataclasses
import difflib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

from hydra.conf import HydraConf
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.config.part import Part, check_fields, require
from src.config.schema import OPEN, Config
from src.data.source import DataSource
from src.errors import UserError
from src.models.model import Model
from src.pruning.method import Method
from src.training.optimizers import Optimizer, Sgd
from src.training.schedules import Cosine, Schedule

KINDS: dict[str, tuple[type[Part], type[Part] | None, str]] = {
    "dataset": (DataSource, None, "a data set"),
    "model": (Model, None, "a model"),
    "prune": (Method, None, "a pruning method"),
    "trainer.optimizer": (Optimizer, Sgd, "an optimizer"),
    "trainer.schedule": (Schedule, Cosine, "a learning-rate schedule"),
}
"""What each open section holds, and the class where none is named."""


def settings(config: DictConfig, choices: Mapping[str, str] = {}, overrides: Sequence[str] = ()) -> Config:
    """Typed and checked settings; `choices` and `overrides` are Hydra's, for the records.

    Raises UserError naming the key, its value, what is allowed and the fix.
    """
    for key, known in _unknown_keys(config):
        raise UserError(f"unknown key {key}: {hint(key.rsplit('.', 1)[-1], known)}")
    plain = OmegaConf.to_object(config)
    assert isinstance(plain, Config)
    result = plain
    for key in OPEN:
        section, _, name = key.rpartition(".")
        holder = getattr(result, section) if section else result
        setattr(holder, name, _build(key, getattr(holder, name)))
    if "iterations" not in config.prune:
        result.prune = dataclasses.replace(result.prune, iterations=result.model.prune_iterations)
    result.choices, result.overrides = dict(choices), list(overrides)
    result.output_dir = str(_path("output_dir", result.output_dir))
    if result.init_from is not None:
        result.init_from = str(_path("init_from", result.init_from))
    check(result)
    return result


def job_settings(config: DictConfig, hydra: HydraConf) -> Config:
    """The settings of one of Hydra's jobs; `hydra` is Hydra's own part of its configuration."""
    choices = {
        str(group): str(choice)
        for group, choice in hydra.runtime.choices.items()
        if choice is not None and not str(group).startswith("hydra/")
    }
    result = settings(config, choices, list(hydra.overrides.task))
    own = [source.path for source in hydra.runtime.config_sources if source.provider == "command-line"]
    result.config_dir = own[0] if own else None
    return result


def plain_settings(config: Config) -> dict[str, Any]:
    """The settings as nested plain values; a part's section names its class."""
    return {field.name: _plain(getattr(config, field.name)) for field in dataclasses.fields(config)}


def settings_dict(config: Config) -> dict[str, Any]:
    """The same, with what things are called as `name`: for records, whose readers know no classes."""
    plain = plain_settings(config)
    names = {"dataset": config.dataset.short, "model": config.model.short, "prune": config.prune.kind()}
    names |= {group: config.choices.get(group, "") for group in ("trainer", "protocol")}
    for section, name in names.items():
        plain[section] = {"name": name, **plain[section]}
    return plain


def takes(section: str, node: Mapping[str, Any], key: str) -> bool:
    """Whether the part that `node` describes in `section`, one of OPEN, has the setting `key`, such as `ratio`."""
    cls = _resolve(section, node.get("_target_"))
    fields = {field.name: field for field in dataclasses.fields(cls)}
    first, _, rest = key.partition(".")
    return first in fields and (not rest or "part" in fields[first].metadata)


def check(config: Config) -> None:
    """Ranges and combinations that types cannot express."""
    check_fields(config)
    first, epochs = config.prune.rewind.first_epoch, config.trainer.epochs
    allowed = f"below trainer.epochs={epochs}: there is nothing left to train"
    require(first < epochs, "prune.rewind.epoch", first, allowed, "prune.rewind.epoch=0")


def _build(key: str, node: Any, kind: type[Part] | None = None, default: type[Part] | None = None) -> Part:
    """The part that a section describes: its class with the values given, and the parts within it."""
    if not isinstance(node, dict):
        raise UserError(f"{key}={_shown(node)} is not allowed: choose {_choose(key)}")
    values = dict(node)
    cls = _resolve(key, values.pop("_target_", None), kind, default)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    for name in values:
        if name not in fields:
            raise UserError(f"unknown key {key}.{name}: {hint(name, list(fields))} ({cls.__name__})")
    nested = {name: field for name, field in fields.items() if "part" in field.metadata}
    parts = {
        name: _build(f"{key}.{name}", values.pop(name), field.metadata["part"], cast(type[Part], type(field.default)))
        for name, field in nested.items()
        if name in values
    }
    plain = {name: _word(fields[name], value) for name, value in values.items() if name not in nested}
    made = _typed(key, cls, plain)
    return dataclasses.replace(made, **parts)


def _word(field: "dataclasses.Field[Any]", value: Any) -> Any:
    """A value, that of a choice of words as a word: `true` may be one."""
    return str(value).lower() if "words" in field.metadata and isinstance(value, bool) else value


def _typed(key: str, cls: type[Part], values: dict[str, Any]) -> Part:
    try:
        node = OmegaConf.merge(_schema(cast(Any, cls)), values)
        return cast(Part, OmegaConf.to_object(node))
    except OmegaConfBaseException as error:
        name = f"{key}.{error.full_key}" if getattr(error, "full_key", None) else key
        reason = str(error).splitlines()[0]
        raise UserError(f"{name}: {reason} ({cls.__name__})") from error


@cache
def _schema(cls: Any) -> DictConfig:
    schema: DictConfig = OmegaConf.structured(cls)
    return schema


def _resolve(key: str, target: Any, kind: type[Part] | None = None, default: type[Part] | None = None) -> type[Part]:
    """The class that `_target_` names; it must be a dataclass of the section's kind."""
    if kind is None:
        kind, default, _ = KINDS[key]
    if target is None:
        if default is None:
            raise UserError(f"{key} has no _target_: choose {_choose(key)}")
        return default
    what = f"a class derived from {kind.__module__}.{kind.__qualname__}"
    try:
        cls = pkgutil.resolve_name(str(target))
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"{key}._target_={target} cannot be imported ({error}): it must name {what}; "
            "is its package installed, or its folder in PYTHONPATH?"
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, kind) and dataclasses.is_dataclass(cls)):
        raise UserError(f"{key}._target_={target} is not allowed: it must name {what}, a frozen dataclass")
    return cls


def _choose(key: str) -> str:
    what = KINDS[key][2] if key in KINDS else "one"
    return f"{what} with {key.replace('.', '/')}=NAME; --help lists them"


def _unknown_keys(node: DictConfig, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Keys outside the schema, which `+key=value` can add, with the known ones beside them; parts are checked later."""
    schema = OmegaConf.get_type(node)
    known = [field.name for field in dataclasses.fields(schema)] if dataclasses.is_dataclass(schema) else []
    for key in map(str, node):
        name = f"{prefix}{key}"
        if known and key not in known:
            yield name, known
        elif name not in OPEN and not OmegaConf.is_missing(node, key) and not OmegaConf.is_interpolation(node, key):
            child = node[key]
            if isinstance(child, DictConfig):
                yield from _unknown_keys(child, f"{name}.")


MOVED = {
    "momentum": "trainer.optimizer.momentum",
    "nesterov": "trainer.optimizer.nesterov",
    "weight_decay": "trainer.optimizer.weight_decay",
}


def hint(key: str, known: list[str]) -> str:
    if key in MOVED and "optimizer" in known:
        return f"it is {MOVED[key]}"
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"


def _path(key: str, text: str) -> Path:
    """A path with `~` expanded, here and nowhere else."""
    require("\0" not in text and text.strip() != "", key, repr(text), "a path")
    return Path(text).expanduser()


def _plain(value: Any) -> Any:
    """A setting as YAML can hold it."""
    if isinstance(value, Part):
        target = {"_target_": f"{type(value).__module__}.{type(value).__qualname__}"}
        return target | {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(content) for key, content in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(content) for content in value]
    return str(value) if isinstance(value, str) else value


def _shown(value: object) -> str:
    return "null" if value is None else str(value)
