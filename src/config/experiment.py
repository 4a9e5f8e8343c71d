"""What an experiment's file sweeps and sets, as it stands there: stored runs are sorted by it without composing any."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from src.config import CONF
from src.files import read_yaml


def networks(experiment: str, folders: Sequence[Path] = ()) -> set[tuple[str, str]]:
    """Data sets and models that `conf/experiment/NAME.yaml` sweeps, as named on the command line; empty without it.

    `folders` are searched before this repository's `conf/`.
    """
    searched = (*folders, CONF)
    body = _composed("experiment", experiment, searched)
    sweeper = body.get("hydra", {}).get("sweeper", {})
    shared, defaults = sweeper.get("params", {}), _composed("", "config", searched)
    found: set[tuple[str, str]] = set()
    for swept in (shared, *({**shared, **own} for own in sweeper.get("products", {}).values())) if body else ():
        for model in _values(swept, "model", body, defaults):
            own = _composed("model", model, searched)
            found |= set(product(_values(swept, "dataset", body, own, defaults), [model]))
    return found


def settings_of(experiment: str, folders: Sequence[Path] = ()) -> dict[str, Any]:
    """`section.key` -> value of what an experiment sets itself, beside its sweep."""
    body = _composed("experiment", experiment, (*folders, CONF))
    other = ("hydra", "record", "experiment_name")  # how it is run, not what
    return flatten({key: value for key, value in body.items() if key not in other and isinstance(value, dict)})


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined with dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _values(swept: Mapping[str, Any], group: str, *chosen: Mapping[str, Any]) -> list[str]:
    """What a sweep has of a group, else the first choice among `chosen`."""
    choice = next((body[group] for body in chosen if isinstance(body.get(group), str)), "")
    return [value.strip() for value in str(swept.get(group, choice)).split(",")]


@cache
def _composed(group: str, name: str, folders: tuple[Path, ...]) -> dict[str, Any]:
    """A file's content over that of its defaults in the same group; choices of other groups as `group: name`."""
    path = next((p for folder in folders if (p := folder / group / f"{name}.yaml").is_file()), None)
    body = read_yaml(path) if path else None
    if not isinstance(body, dict):
        return {}
    made: dict[str, Any] = {}
    for entry in body.pop("defaults", []):
        if isinstance(entry, str) and entry != "_self_":
            made = _merged(made, _composed(group, entry, folders))
        elif isinstance(entry, dict):
            made |= {str(key).split()[-1].strip("/"): choice for key, choice in entry.items()}
    return _merged(made, body)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = [key for key in above if isinstance(above[key], Mapping) and isinstance(below.get(key), Mapping)]
    return {**below, **above, **{key: _merged(below[key], above[key]) for key in both}}
