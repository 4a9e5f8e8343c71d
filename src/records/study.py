"""Runs that may share a figure: everything but seed, method and scope is the same."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from src.config.part import safe_name
from src.records.experiment import flatten, networks
from src.records.method import Method
from src.records.run import Run
from src.records.schema import SCOPES

WITHOUT_EFFECT = {
    "dataset": {"root"},
    "model": {"prune_iterations"},  # `prune.iterations` is what counts
    "trainer": {"checkpoint_every"},
}


@dataclass(frozen=True)
class Setting:
    """What all runs of a study share; `detail` is its canonical JSON."""

    dataset: str
    model: str
    iterations: int
    trainer: str
    protocol: str
    detail: str

    @classmethod
    def of(cls, run: Run) -> "Setting":
        config = run.config
        shared = {
            section: _effective(section, config[section]) for section in ("dataset", "model", "trainer", "protocol")
        }
        detail = json.dumps(shared | {"init_from": config.get("init_from")}, sort_keys=True)
        trainer, protocol = str(config["trainer"]["name"]), str(config["protocol"]["name"])
        return cls(run.dataset, run.model, run.iterations, trainer, protocol, detail)

    @property
    def train_size(self) -> int | None:
        """Number of training images; None for all."""
        size: int | None = json.loads(self.detail)["dataset"].get("train_size")
        return size

    @property
    def text(self) -> str:
        """Readable name for messages and headings."""
        images = f", {self.train_size} training images" if self.train_size else ""
        return f"{self.dataset}, {self.model}, T={self.iterations}, {self.trainer}, {self.protocol}{images}"

    @property
    def short(self) -> str:
        """Name for files, shared by settings that differ in detail only."""
        images = f"-n{self.train_size}" if self.train_size else ""
        return f"{self.dataset}-{self.model}-T{self.iterations}-{self.trainer}-{self.protocol}{images}"


@dataclass(frozen=True, eq=False)
class Study:
    """Finished runs of one setting; `name` is unique among the studies made together."""

    setting: Setting
    runs: tuple[Run, ...]
    name: str
    unfinished: tuple[Run, ...] = ()

    @property
    def all_runs(self) -> tuple[Run, ...]:
        """Finished and unfinished ones."""
        return (*self.runs, *self.unfinished)

    @cached_property
    def _series(self) -> dict[tuple[str, str], tuple[Run, ...]]:
        found: dict[tuple[str, str], list[Run]] = {}
        for run in sorted(self.runs, key=lambda run: run.seed):
            found.setdefault((run.scope, run.method.short), []).append(run)
        return {key: tuple(runs) for key, runs in found.items()}

    def series(self, scope: str, method: Method) -> tuple[Run, ...]:
        """The method's runs in a scope, one per seed, ordered by seed; empty where there are none."""
        return self._series.get((scope, method.short), ())

    @property
    def scopes(self) -> tuple[str, ...]:
        """Those present, in the order neuron, layer, global."""
        present = {scope for scope, _ in self._series}
        return tuple(scope for scope in SCOPES if scope in present)

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted({run.seed for run in self.runs}))

    def methods(self, scope: str) -> tuple[Method, ...]:
        """All methods run in a scope, ordered by their short names."""
        found = [runs[0].method for (where, _), runs in self._series.items() if where == scope]
        return tuple(sorted(found, key=lambda method: method.short))


@dataclass(frozen=True)
class Selection:
    """Which runs to take; None takes all, a tuple any of its values."""

    dataset: tuple[str, ...] | None = None
    model: tuple[str, ...] | None = None
    trainer: tuple[str, ...] | None = None
    protocol: tuple[str, ...] | None = None
    experiment: tuple[str, ...] | None = None
    seed: tuple[str, ...] | None = None

    def takes(self, run: Run) -> bool:
        """Whether the run's values are all among those wanted; its experiment is a matter of the whole study."""
        has = {
            "dataset": {run.dataset, run.choices.get("dataset")},
            "model": {run.model, run.choices.get("model")},
            "trainer": {run.config["trainer"]["name"], run.choices.get("trainer")},
            "protocol": {run.config["protocol"]["name"], run.choices.get("protocol")},
            "seed": {str(run.seed)},
        }
        return all((wanted := getattr(self, key)) is None or values & set(wanted) for key, values in has.items())

    def settings(self, runs: Iterable[Run]) -> set[Setting]:
        """Those of the experiments wanted, among the runs' settings.

        Experiments share runs, and a run keeps the name of the first. So a setting is an experiment's where one of its
        runs has the name; where none has, where the experiment's file has its data set and model.
        """
        found: dict[Setting, list[Run]] = {}
        for run in runs:
            found.setdefault(Setting.of(run), []).append(run)
        if self.experiment is None:
            return set(found)
        folders = sorted({Path(run.config_dir) for members in found.values() for run in members if run.config_dir})
        wanted: set[Setting] = set()
        for name in self.experiment:
            named = {setting for setting, members in found.items() if any(name in _experiments(run) for run in members)}
            pairs = networks(name, folders)
            wanted |= named or {s for s, members in found.items() if any(_network(run) in pairs for run in members)}
        return wanted


EVERYTHING = Selection()


def studies(runs: Iterable[Run], selection: Selection = EVERYTHING) -> tuple[Study, ...]:
    """Group the selected runs; ordered by name. Names tell apart settings that differ in detail only."""
    groups: dict[Setting, list[Run]] = {}
    alike: dict[str, set[Setting]] = {}
    runs = tuple(runs)
    wanted = selection.settings(runs)
    for run in runs:
        setting = Setting.of(run)
        alike.setdefault(setting.short, set()).add(setting)
        if setting in wanted and selection.takes(run):
            groups.setdefault(setting, []).append(run)
    made = [
        Study(
            setting,
            tuple(run for run in members if run.finished),
            _unique_name(setting, alike[setting.short]),
            tuple(run for run in members if not run.finished),
        )
        for setting, members in groups.items()
    ]
    return tuple(sorted(made, key=lambda study: study.name))


def _unique_name(setting: Setting, alike: set[Setting]) -> str:
    """The short name, with what differs among settings of that name appended as `key=value`."""
    flat = {other: flatten(json.loads(other.detail)) for other in alike}
    keys = sorted({key for values in flat.values() for key in values})
    differing = [key for key in keys if len({str(values.get(key)) for values in flat.values()}) > 1]
    parts = [f"{key.split('.', 1)[-1]}={flat[setting].get(key)}" for key in differing]
    return safe_name("-".join([setting.short, *parts]))


def _effective(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in WITHOUT_EFFECT.get(section, set())}


def _experiments(run: Run) -> set[Any]:
    return {run.config.get("experiment_name"), run.choices.get("experiment")}


def _network(run: Run) -> tuple[str, str]:
    """Data set and model as the command line names them."""
    return run.choices.get("dataset", run.dataset), run.choices.get("model", run.model)
