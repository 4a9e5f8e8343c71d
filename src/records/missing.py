"""Runs that a figure needs and that were never made or did not finish, with the commands that make them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from src.config.commands import command, setting_word
from src.records.experiment import settings_of
from src.records.library import output_words
from src.records.method import Method
from src.records.run import Run
from src.records.study import Study

Condition: TypeAlias = tuple[str, Method]
"""A scope and a method: what runs with several seeds have in common within a study."""
GROUPS = ("dataset", "model", "prune", "trainer", "protocol")
SET_ANYWAY = ("experiment", "seed", "output_dir", "prune.scope")
"""Keys that the printed command has from elsewhere."""


@dataclass(frozen=True)
class Missing:
    """A scope and method of a study whose runs with these seeds are not finished; `state` says how far they are."""

    study: Study
    scope: str
    method: Method
    seeds: tuple[int, ...]
    state: str

    @property
    def never_run(self) -> bool:
        """Whether the method has no run at all in this scope, of any seed."""
        return not any((run.scope, run.method) == (self.scope, self.method) for run in self.study.all_runs)

    @property
    def command(self) -> str:
        """What makes, or goes on with, the runs."""
        return command("src.main", run_words(self.study, self.scope, self.method, self.seeds))

    @property
    def short(self) -> str:
        """A line for a figure's notes."""
        seeds = ", ".join(str(seed) for seed in self.seeds)
        return f"missing: {self.method.text}, scope {self.scope}, seed{'s' if len(self.seeds) > 1 else ''} {seeds}"

    def __str__(self) -> str:
        what = self.short.removeprefix("missing: ")
        return f"{self.study.setting.text}: {what}: {self.state}; make with\n    {self.command}"


def missing_runs(study: Study, conditions: Sequence[Condition]) -> tuple[Missing, ...]:
    """Every condition should have the seeds that any of them has."""
    finished = {condition: {run.seed for run in study.series(*condition)} for condition in conditions}
    stopped = {c: [run for run in study.unfinished if (run.scope, run.method) == c] for c in conditions}
    started = {run.seed for runs in stopped.values() for run in runs}
    seeds = set().union(*finished.values(), started) or {0}
    found = []
    for condition in dict.fromkeys(conditions):
        halves = [run for run in stopped[condition] if run.seed not in finished[condition]]
        never = seeds - finished[condition] - {run.seed for run in halves}
        found += [Missing(study, *condition, (run.seed,), _state(run)) for run in halves]
        if never:
            found.append(Missing(study, *condition, tuple(sorted(never)), "no run"))
    return tuple(found)


def unique(findings: Iterable[Missing]) -> tuple[Missing, ...]:
    """Each once, in order of appearance."""
    return tuple(dict.fromkeys(findings))


def run_words(study: Study, scope: str, method: Method, seeds: Sequence[int]) -> list[str]:
    """Words of `src.main` for a method and scope, made as a run of the study was: its choices, then its overrides."""
    run = next((run for run in study.all_runs if run.method == method), study.all_runs[0])
    choices = {group: choice for group, choice in run.choices.items() if group.split("/")[0] in GROUPS}
    overrides = {key: word for key, word in _overrides(run).items() if key not in (*choices, *SET_ANYWAY)}
    own = [word for key, word in overrides.items() if _is_of_the_method(key)]
    if run.method != method:
        choices = {group: choice for group, choice in choices.items() if not _is_of_the_method(group)}
        choices["prune"] = method.kind
        own = [setting_word(f"prune.{key}", value) for key, value in method.settings.items()]
    ordered = dict.fromkeys(group for group in (*GROUPS, *sorted(choices)) if group in choices)
    shared = [word for key, word in overrides.items() if not _is_of_the_method(key) and not key.startswith("hydra")]
    folder = ["--config-dir", run.config_dir] if run.config_dir else []
    several = ["-m"] if len(seeds) > 1 else []
    words = [*folder, *(f"{group}={choices[group]}" for group in ordered), *own, f"prune.scope={scope}", *shared]
    return [*words, f"seed={','.join(map(str, seeds))}", *output_words(run.output_dir), *several]


def _overrides(run: Run) -> dict[str, str]:
    """Key -> word of what the run's experiment and its command line set, each key once."""
    folders = [Path(run.config_dir)] if run.config_dir else []
    body = settings_of(run.choices["experiment"], folders) if run.choices.get("experiment") else {}
    words = [*(setting_word(key, value) for key, value in body.items()), *run.overrides]
    return {word.split("=", 1)[0].lstrip("+"): word for word in words}


def _is_of_the_method(key: str) -> bool:
    return key.startswith(("prune.", "prune/")) and key != "prune.iterations"


def _state(run: Run) -> str:
    reason = f": {run.reason}" if run.reason else ""
    return f"{run.name} is {run.status} at {run.iterations_done} of {run.iterations_total} iterations{reason}"
