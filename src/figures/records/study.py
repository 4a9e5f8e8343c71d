"""Runs that may share a figure: everything but seed, method and scope is the same."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from src.errors import UserError
from src.figures.records.conf import networks
from src.figures.records.method import Method
from src.figures.records.run import Run

WITHOUT_EFFECT = {
    "dataset": {"root", "batch_size"},  # the trainer's batch size is the one that is used
    "trainer": {"checkpoint_every", "train_size", "test_size"},  # the data set's sizes are the ones that are used
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
        shared = {name: _effective(name, config[name]) for name in ("dataset", "trainer", "protocol")}
        detail = json.dumps(shared | {"init_from": config.get("init_from")}, sort_keys=True)
        trainer, protocol = str(config["trainer"]["name"]), str(config["protocol"]["name"])
        return cls(run.dataset, run.model, run.iterations, trainer, protocol, detail)

    @property
    def text(self) -> str:
        """Readable name for messages and headings."""
        sizes = json.loads(self.detail)["dataset"]
        images = f", {sizes['train_size']} training images" if sizes.get("train_size") else ""
        return f"{self.dataset}, {self.model}, T={self.iterations}, {self.trainer}, {self.protocol}{images}"


@dataclass(frozen=True, eq=False)
class Study:
    """Finished runs of one setting; `name` is unique among the studies made together."""

    setting: Setting
    runs: tuple[Run, ...]
    name: str
    unfinished: tuple[Run, ...] = ()

    @cached_property
    def _series(self) -> dict[tuple[str, str], tuple[Run, ...]]:
        found: dict[tuple[str, str], list[Run]] = {}
        for run in sorted(self.runs, key=lambda run: run.seed):
            found.setdefault((run.scope, run.method.key), []).append(run)
        for runs in found.values():
            _check_unique(runs)
        return {key: tuple(runs) for key, runs in found.items()}

    def series(self, scope: str, method: Method) -> tuple[Run, ...]:
        """The method's runs in a scope, one per seed, ordered by seed; empty where there are none."""
        return self._series.get((scope, method.key), ())

    @property
    def scopes(self) -> tuple[str, ...]:
        """Those present, in the order neuron, layer, global."""
        present = {scope for scope, _ in self._series}
        return tuple(scope for scope in ("neuron", "layer", "global") if scope in present)

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted({run.seed for run in self.runs}))

    def methods(self, scope: str) -> tuple[Method, ...]:
        """All methods run in a scope, ordered by their keys."""
        runs = [series[0].method for (where, _), series in self._series.items() if where == scope]
        return tuple(sorted(runs, key=lambda method: method.key))


@dataclass(frozen=True)
class Selection:
    """Which studies to take; None takes all, a tuple any of its values."""

    dataset: tuple[str, ...] | None = None
    model: tuple[str, ...] | None = None
    trainer: tuple[str, ...] | None = None
    protocol: tuple[str, ...] | None = None
    experiment: tuple[str, ...] | None = None
    seed: tuple[str, ...] | None = None

    def takes(self, run: Run) -> bool:
        """Whether the run's values are all among those wanted; its experiment is a matter of the whole study."""
        has = {
            "dataset": run.dataset,
            "model": run.model,
            "trainer": run.config["trainer"]["name"],
            "protocol": run.config["protocol"]["name"],
            "seed": run.seed,
        }
        return all(getattr(self, name) is None or str(value) in getattr(self, name) for name, value in has.items())

    def settings(self, runs: Iterable[Run]) -> set[Setting]:
        """Those of the experiments wanted, among the runs' settings.

        Experiments share runs, and a run keeps the name of the first. So a setting is an experiment's where one of its
        runs has the name; where none has, where `conf/experiment/` has its data set and model.
        """
        found = {Setting.of(run): False for run in runs}
        for name in self.experiment or ():
            named = {Setting.of(run) for run in runs if run.config.get("experiment_name") == name}
            pairs = networks(name)
            found |= dict.fromkeys(named or {s for s in found if (s.dataset, s.model) in pairs}, True)
        return {setting for setting, wanted in found.items() if wanted or self.experiment is None}


def studies(runs: Iterable[Run], selection: Selection = Selection()) -> tuple[Study, ...]:
    """Group the selected runs; ordered by name. Names tell apart settings that differ in detail only."""
    groups: dict[Setting, list[Run]] = {}
    every: dict[str, set[Setting]] = {}
    runs = tuple(runs)
    wanted = selection.settings(runs)
    for run in runs:
        setting = Setting.of(run)
        every.setdefault(_base_name(setting), set()).add(setting)
        if setting in wanted and selection.takes(run):
            groups.setdefault(setting, []).append(run)
    made = [
        Study(
            setting,
            tuple(run for run in members if run.finished),
            _unique_name(setting, every[_base_name(setting)]),
            tuple(run for run in members if not run.finished),
        )
        for setting, members in groups.items()
    ]
    return tuple(sorted(made, key=lambda study: study.name))


def _base_name(setting: Setting) -> str:
    sizes = json.loads(setting.detail)["dataset"]
    images = f"-n{sizes['train_size']}" if sizes.get("train_size") else ""
    model = f"{setting.dataset}-{setting.model}-T{setting.iterations}"
    return f"{model}-{setting.trainer}-{setting.protocol}{images}"


def _unique_name(setting: Setting, alike: set[Setting]) -> str:
    """The base name, with what differs among settings of that name appended as `key=value`."""
    if len(alike) == 1:
        return _base_name(setting)
    flat = {other: flatten(json.loads(other.detail)) for other in alike}
    keys = sorted({key for values in flat.values() for key in values})
    differing = [key for key in keys if len({str(values.get(key)) for values in flat.values()}) > 1]
    told = [f"{key.split('.', 1)[-1]}={flat[setting].get(key)}" for key in differing]
    return "-".join([_base_name(setting), *told]).replace("/", "_")


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _effective(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in WITHOUT_EFFECT.get(section, set())}


def _check_unique(runs: list[Run]) -> None:
    seen: dict[int, Run] = {}
    for run in runs:
        if run.seed in seen:
            raise UserError(
                f"{seen[run.seed].name} and {run.name} are the same method, scope and seed of one setting; "
                "move one of the folders away"
            )
        seen[run.seed] = run
