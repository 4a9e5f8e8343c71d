"""From Hydra's configuration to checked settings, and the errors a user sees. Imports no PyTorch.

A section that holds a part names its class by `_target_`; the class is imported, must be a part of the section's kind,
and is the section's schema. What is read back from disk never comes here.
"""

import dataclasses
import difflib
import pkgutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from hydra.conf import HydraConf
from omegaconf import DictConfig, OmegaConf

from src.config import CONF
from src.config.part import Part, check_fields, default_of, plain, require, shown
from src.config.schema import Config
from src.config.typed import read_value, types_of
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
"""What each section that holds a part is for, and the class where none is named."""

NOT_CHOSEN = ("schema", "local")
"""Groups of Hydra's that nobody chooses from."""

T = TypeVar("T")


def settings(config: DictConfig, choices: Mapping[str, str] = {}, overrides: Sequence[str] = ()) -> Config:
    """Typed and checked settings; `choices` and `overrides` are Hydra's, for the records.

    Raises UserError naming the key, its value, what is allowed and the fix.
    """
    values = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True, throw_on_missing=True))
    result = read_section("", Config, {**values, "choices": {}, "overrides": [], "config_dir": None})
    if "iterations" not in values["prune"]:
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
        if choice is not None and str(group) not in NOT_CHOSEN and not str(group).startswith("hydra/")
    }
    result = settings(config, choices, list(hydra.overrides.task))
    result.config_dir = config_dir_of(hydra)
    return result


def config_dir_of(hydra: HydraConf) -> str | None:
    """The folder given with --config-dir; raises UserError where it has a choice of a name of ours, which counts."""
    found = next((str(s.path) for s in hydra.runtime.config_sources if s.provider == "command-line"), None)
    for path in CONF.rglob("*.yaml") if found else ():  # ours are few; a folder of others may hold all they have
        if (own := Path(str(found)) / path.relative_to(CONF)).exists():
            raise UserError(f"{own} has the name of a choice in conf/, which would be taken instead: rename it")
    return found


def plain_settings(value: Any) -> Any:
    """Settings as nested plain values, which YAML can hold; a part's section names its class."""
    value = plain(value)
    if dataclasses.is_dataclass(value):
        target = {"_target_": f"{type(value).__module__}.{type(value).__qualname__}"} if isinstance(value, Part) else {}
        return target | {field.name: plain_settings(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain_settings(content) for key, content in value.items()}
    if isinstance(value, list | tuple):
        return [plain_settings(content) for content in value]
    return str(value) if isinstance(value, str) else value


def settings_dict(config: Config) -> dict[str, Any]:
    """The same, with what things are called as `name`: for records, whose readers know no classes."""
    plain: dict[str, Any] = plain_settings(config)
    names = {"dataset": config.dataset.short, "model": config.model.short, "prune": config.prune.kind()}
    names |= {group: config.choices.get(group, "") for group in ("trainer", "protocol")}
    for section, name in names.items():
        plain[section] = {"name": name, **plain[section]}
    return plain


def takes(section: str, node: Mapping[str, Any], key: str) -> bool:
    """Whether the part that `node` describes in `section`, one of KINDS, has the setting `key`, such as `ratio`."""
    cls = _resolve(section, node.get("_target_"), *KINDS[section][:2])
    fields = {field.name: field for field in dataclasses.fields(cls)}
    first, _, rest = key.partition(".")
    return first in fields and (not rest or "part" in fields[first].metadata)


def check(config: Config) -> None:
    """Ranges and combinations that types cannot express."""
    check_fields(config)
    _path("dataset.root", config.dataset.root)
    first, epochs = config.prune.rewind.first_epoch, config.trainer.epochs
    allowed = f"below trainer.epochs={epochs}: there is nothing left to train"
    require(first < epochs, "prune.rewind.epoch", first, allowed, "prune.rewind.epoch=0")


def _part(key: str, node: Any, kind: type[Part], default: type[Part] | None) -> Part:
    """The part that a section describes: its class with the values given, and the parts within it."""
    if not isinstance(node, dict):
        raise UserError(f"{key}={shown(node)} is not allowed: choose {_choose(key)}")
    cls = _resolve(key, node.get("_target_"), kind, default)
    return read_section(key, cls, {name: value for name, value in node.items() if name != "_target_"})


def read_section(key: str, cls: type[T], node: Any) -> T:
    """A dataclass with the values that a section gives, and the sections and parts within it."""
    fields = {field.name: field for field in dataclasses.fields(cast(Any, cls)) if field.init}
    if not isinstance(node, dict):
        raise UserError(f"{key}={shown(node)} is not allowed: it is a section, with {', '.join(fields)}")
    if unknown := [str(name) for name in node if name not in fields]:
        place = f" ({cls.__name__})" if issubclass(cls, Part) else ""
        raise UserError(f"unknown key {_below(key, unknown[0])}: {hint(unknown[0], list(fields))}{place}")
    made, types = {}, types_of(cast(Any, cls))
    for name, field in fields.items():
        place = _below(key, name)
        if place in KINDS:
            made[name] = _part(place, node.get(name, {}), *KINDS[place][:2])
        elif name in node and "part" in field.metadata:
            made[name] = _part(place, node[name], field.metadata["part"], cast(type[Part], type(field.default)))
        elif name in node and dataclasses.is_dataclass(types[name]):
            made[name] = read_section(place, types[name], node[name])
        elif name in node:
            made[name] = read_value(place, field, types[name], node[name])
        elif default_of(field) is dataclasses.MISSING:
            from src.config.words import not_of_type

            raise not_of_type(place, field, types[name], "")
    return cls(**made)


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _resolve(key: str, target: Any, kind: type[Part], default: type[Part] | None) -> type[Part]:
    """The class that `_target_` names; it must be a dataclass of the section's kind."""
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
    if not (isinstance(cls, type) and issubclass(cls, kind) and cls is not kind and dataclasses.is_dataclass(cls)):
        raise UserError(f"{key}._target_={target} is not allowed: it must name {what}, a frozen dataclass")
    if hidden := [field.name for field in dataclasses.fields(cls) if callable(getattr(kind, field.name, None))]:
        raise UserError(f"{key}._target_={target} has a field {hidden[0]}, which hides what every part has: rename it")
    return cls


def _choose(key: str) -> str:
    what = KINDS[key][2] if key in KINDS else "one"
    return f"{what} with {key.replace('.', '/')}=NAME; --help lists them"


def hint(key: str, known: list[str]) -> str:
    if key in ("momentum", "nesterov", "weight_decay") and "optimizer" in known:
        return f"it is trainer.optimizer.{key}"
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"


def _path(key: str, text: str) -> Path:
    """A path with `~` expanded, here and nowhere else."""
    require("\0" not in text and text.strip() != "", key, text, "a path")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"{key}={shown(text)} is not allowed: there is no such user; write the folder itself") from None
