"""Runs that may share a figure: everything but seed, method and scope is the same; and which runs are asked for."""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from src.config.experiment import flatten, networks
from src.config.part import cut_name, safe_name
from src.records.method import Method
from src.records.run import Run
from src.records.schema import SCOPES

WITHOUT_EFFECT = {("dataset", "root"), ("model", "prune_iterations"), ("trainer", "checkpoint_every")}
"""Settings that may differ within a study; of the iterations `prune.iterations` counts."""
SAME = ("data", "model")
"""Digests of runs that are compared for what else differs."""
LONGEST = 120
"""Letters of a study's name, to which kinds, scopes and methods are added in the names of files; a disk takes 255."""
Key = TypeVar("Key")
Item = TypeVar("Item")


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Runs, or studies, by what `key` says of them, in order of appearance."""
    found: dict[Key, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


@dataclass(frozen=True)
class Setting:
    """What all runs of a study share; `detail` is its canonical JSON, digests that tell its runs apart included."""

    dataset: str
    model: str
    iterations: int
    trainer: str
    protocol: str
    detail: str

    @classmethod
    def of(cls, run: Run) -> "Setting":
        shared: dict[str, Any] = {
            section: {key: value for key, value in run.config[section].items() if (section, key) not in WITHOUT_EFFECT}
            for section in ("dataset", "model", "trainer", "protocol")
        }
        start = run.config.get("init_from")
        if start and "model" in run.digests:  # which tells its content, wherever the file is
            start = "file"
        shared |= {"init_from": start}
        shared |= {"digest": dict(run.apart)} if run.apart else {}
        detail = json.dumps(shared, sort_keys=True, default=str)
        trainer, protocol = (str(shared[section]["name"]) for section in ("trainer", "protocol"))
        return cls(run.dataset, run.model, run.iterations, trainer, protocol, detail)

    @property
    def train_size(self) -> int | None:
        size: int | None = json.loads(self.detail)["dataset"].get("train_size")
        return size

    @property
    def epochs(self) -> int | None:
        """E, of each training; None where the settings do not say so."""
        epochs: int | None = json.loads(self.detail).get("trainer", {}).get("epochs")
        return epochs

    @property
    def text(self) -> str:
        images = f", {self.train_size} training images" if self.train_size else ""
        length = f"T={self.iterations}, E={self.epochs}"
        return f"{self.dataset}, {self.model}, {length}, {self.trainer}, {self.protocol}{images}"

    @property
    def short(self) -> str:
        """Name for files, shared by settings that differ in detail only."""
        images = f"-n{self.train_size}" if self.train_size else ""
        return f"{self.dataset}-{self.model}-T{self.iterations}-{self.trainer}-{self.protocol}{images}"


@dataclass(frozen=True, eq=False)
class Study:
    """Finished runs of one setting; `name` is unique among the studies made together.

    apart: what else than epochs differs from other studies of its data set and model, as `key=value`.
    """

    setting: Setting
    runs: tuple[Run, ...]
    name: str
    unfinished: tuple[Run, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def all_runs(self) -> tuple[Run, ...]:
        return (*self.runs, *self.unfinished)

    @cached_property
    def one_layer(self) -> bool:
        """Whether the network has one layer that is pruned: layer-wise and global pruning are then the same."""
        return bool(self.runs) and len(self.runs[0].layers.names) == 1

    def scope(self, scope: str) -> str:
        """The scope that this one counts as: of one layer, layer-wise pruning is global."""
        return "global" if self.one_layer and scope == "layer" else scope

    @cached_property
    def _series(self) -> dict[tuple[str, str], list[Run]]:
        ordered = sorted(self.runs, key=lambda run: (run.seed, run.scope))  # of one layer, a seed's global run first
        found = grouped(ordered, lambda run: (self.scope(run.scope), run.method.short))
        return {key: list({run.seed: run for run in reversed(runs)}.values())[::-1] for key, runs in found.items()}

    def series(self, scope: str, method: Method) -> tuple[Run, ...]:
        """The method's runs in a scope, one per seed, ordered by seed; empty where there are none."""
        return tuple(self._series.get((self.scope(scope), method.short), ()))

    @property
    def scopes(self) -> tuple[str, ...]:
        """Those present, in the order neuron, layer, global; of a network with one layer without `layer`."""
        present = {scope for scope, _ in self._series}
        return tuple(scope for scope in SCOPES if scope in present)

    def has_any(self, scopes: Iterable[str], methods: Iterable[Method]) -> bool:
        """Whether there is a run, finished or not, of any of the methods in any of the scopes."""
        wanted = {(self.scope(scope), method.short) for scope, method in product(scopes, methods)}
        return any((self.scope(run.scope), run.method.short) in wanted for run in self.all_runs)

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
        found = grouped(runs, Setting.of)
        if self.experiment is None:
            return set(found)
        folders = sorted({Path(run.config_dir) for members in found.values() for run in members if run.config_dir})
        wanted: set[Setting] = set()
        for name in self.experiment:
            pairs = networks(name, folders)
            named, alike = set(), set()
            for setting, run in ((setting, run) for setting, members in found.items() for run in members):
                if name in (run.config.get("experiment_name"), run.choices.get("experiment")):
                    named.add(setting)
                if (run.choices.get("dataset", run.dataset), run.choices.get("model", run.model)) in pairs:
                    alike.add(setting)
            wanted |= named or alike
        return wanted


EVERYTHING = Selection()


def studies(runs: Iterable[Run], selection: Selection = EVERYTHING) -> tuple[Study, ...]:
    """Group the selected runs; ordered by name, numbers in it by size.

    Names tell apart settings that differ in detail only: by what differs among them, as `key=value`.
    """
    settings = grouped(runs, Setting.of)
    wanted = selection.settings(run for members in settings.values() for run in members)
    made: list[Study] = []
    for setting, members in settings.items():
        if taken := [run for run in members if setting in wanted and selection.takes(run)]:
            differing = _differing(setting, [other for other in settings if other.short == setting.short])
            name = _named(setting, differing, {other.name for other in made})
            network = [o for o in settings if (o.dataset, o.model) == (setting.dataset, setting.model)]
            alike = _differing(setting, network)
            named = {key.removesuffix(".name"): value for key, value in alike.items() if key.endswith(".name")}
            own = {key: value for key, value in alike.items() if key.split(".")[0] not in named}
            length = {"T": setting.iterations} if len({other.iterations for other in network}) > 1 else {}
            shown = length | named | own
            apart = tuple(f"{key}={value}" for key, value in shown.items() if key != "trainer.epochs")
            finished, others = (tuple(run for run in taken if run.finished is state) for state in (True, False))
            made.append(Study(setting, finished, name, others, apart))
    return tuple(sorted(made, key=lambda study: _by_number(study.name)))


def _named(setting: Setting, differing: Mapping[str, Any], taken: Collection[str]) -> str:
    """The setting's name for files, with what differs; where that is another's, with a digest of all."""
    parts = []
    for key, value in differing.items():
        if value is not None:
            of_class = key.endswith("._target_")
            said = str(value).rpartition(".")[2] if of_class else value
            parts.append(f"{(key.partition('.')[2] or key).removesuffix('._target_')}={said}")
    name = cut_name(safe_name("-".join([setting.short, *parts])), LONGEST)
    return f"{name}-{hashlib.sha256(setting.detail.encode()).hexdigest()[:8]}" if name in taken else name


def _by_number(name: str) -> list[tuple[int, str]]:
    """For sorting: E=3 before E=20."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _differing(setting: Setting, others: Sequence[Setting]) -> dict[str, Any]:
    """The setting's values of what is not the same in all the others."""
    flat, own = [flatten(json.loads(other.detail)) for other in others], flatten(json.loads(setting.detail))
    keys = sorted({key for values in flat for key in values if key in own or not key.startswith("digest.")})
    return {key: own.get(key) for key in keys if len({str(values.get(key)) for values in flat}) > 1}


def but_for(studies: Iterable[Study], section: str, keys: Sequence[str] = ()) -> list[list[Study]]:
    """Groups of studies that differ in these settings of a section alone, in any of it where none are given.

    Their data and their model's code are the same, as far as runs say so: those that do not are with those that do
    where these agree.
    """

    def rest(study: Study) -> str:
        detail = json.loads(study.setting.detail)
        kept = {key: value for key, value in detail[section].items() if keys and key not in keys}
        return json.dumps([study.setting.iterations, detail | {section: kept}], sort_keys=True)

    def made_of(study: Study) -> str:
        known = {(name, run.digests[name]) for run in study.all_runs for name in SAME if name in run.digests}
        return json.dumps(sorted(known))

    groups = []
    for alike in grouped(studies, rest).values():
        apart = grouped(alike, made_of)
        groups += list(apart.values()) if len(apart.keys() - {"[]"}) > 1 else [alike]
    return groups
