"""All runs below an output folder, and the runs that a figure needs and that are not there or not finished."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from src.config.command_line import command, default_output_dir, setting_word
from src.config.experiment import settings_of
from src.errors import UserError
from src.records.integrity import verify
from src.records.method import CLASSES, Method
from src.records.run import Run, load_run
from src.records.schema import TABLES
from src.records.study import EVERYTHING, Selection, Setting, Study, grouped

Condition: TypeAlias = tuple[str, Method]
"""A scope and a method: what runs with several seeds have in common within a study."""
DIGITS = 8
"""Of a digest, where it tells runs apart."""
GROUPS = ("dataset", "model", "prune", "trainer", "protocol")


@dataclass(frozen=True)
class Library:
    """The runs found, finished or not, and what is wrong with the other folders, a line each."""

    runs: tuple[Run, ...]
    problems: tuple[str, ...]

    @property
    def finished(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.finished)


def load_library(output_dir: Path, selection: Selection = EVERYTHING) -> Library:
    """Read `<output_dir>/runs/*`, with the tables of the finished runs that the selection takes.

    Raises UserError where there is not one run.
    """
    folder = output_dir / "runs"
    found: list[Run] = []
    runs: list[Run] = []
    problems: list[str] = []
    for path in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        try:
            found.append(load_run(path))
        except UserError as error:
            problems.append(str(error))
    for run in told_apart(found):
        try:
            if run.finished and selection.takes(run):
                _ = run.table, run.layers
                problems += verify(run.folder, TABLES)
            runs.append(run)
        except UserError as error:
            problems.append(str(error))
    doubles = _doubles(runs)
    runs = [run for run in runs if run not in doubles]
    problems += doubles.values()
    if not runs:
        start = command("src.main", ["experiment=quickstart", *output_words(output_dir)])
        seen = "".join(["\nFound:"] * bool(problems) + [f"\n  {problem}" for problem in problems])
        raise UserError(f"no records in {folder}; make some with\n  {start}{seen}")
    return Library(tuple(runs), tuple(map(_printable, problems)))


def _printable(text: str) -> str:
    """Names of folders may hold bytes that are no UTF-8."""
    return text.encode(errors="backslashreplace").decode()


def output_words(output_dir: Path) -> list[str]:
    """`output_dir=PATH` for a command, where that is not the default."""
    return [] if output_dir == default_output_dir() else [setting_word("output_dir", output_dir)]


def told_apart(runs: Iterable[Run]) -> list[Run]:
    """The same runs, so that those of different data or code are not taken for seeds of one.

    Different digests of data, model or trainer make different settings, as `apart` says. Of methods with one short
    name, but of different classes or code, one keeps it: the paper's, or else that of the most runs; the others are
    called by their kind, and where that is not enough by their digest. A run without digests, made before there were
    any, is with those that have one, but where these are not the same, stands for itself.
    """
    made: list[Run] = []
    for members in grouped(runs, Setting.of).values():
        versions = {name: _versions(members, name) for name in ("data", "model", "trainer")}
        made += [replace(run, apart={name: of[run] for name, of in versions.items() if of[run]}) for run in members]
    told: list[Run] = []
    for members in grouped(made, lambda run: (Setting.of(run), run.method.short)).values():
        marks: dict[Run, str] = {}
        for kind, alike in grouped(members, lambda run: run.method.kind).items():
            marks |= {run: f"{kind} {version}".strip() for run, version in _versions(alike, "method").items()}
        counts = Counter(marks.values())
        kept = max(counts, key=lambda mark: (mark.split()[0] in CLASSES, counts[mark]))
        for run, mark in marks.items():
            short, label = f"{run.method.short}.{mark.replace(' ', '-')}", f"{run.method.label} [{mark}]"
            told.append(run if mark == kept else replace(run, method=replace(run.method, short=short, label=label)))
    return sorted(told, key=lambda run: run.folder)


def _versions(runs: Sequence[Run], name: str) -> dict[Run, str]:
    """First digits of each run's digest; empty where all that have one have the same."""
    found = {run: run.digests.get(name, "unknown")[:DIGITS] for run in runs}
    return found if len({*found.values()} - {"unknown"}) > 1 else dict.fromkeys(runs, "")


def _doubles(runs: Iterable[Run]) -> dict[Run, str]:
    """Runs that cannot be told from others, and why: they are left out, so that the others can be shown."""
    found: dict[Run, str] = {}
    for members in grouped(runs, lambda run: (Setting.of(run), run.scope, run.method.short)).values():
        settings = {run: json.dumps(run.method.settings, sort_keys=True, default=str) for run in members}
        common = Counter(settings.values()).most_common(1)[0][0]
        kept: dict[int, Run] = {}
        for run in sorted(members, key=lambda run: (run.folder.name != run.name, not run.finished)):
            if settings[run] != common:
                other = next(other for other in members if settings[other] == common)
                own, others = run.method.settings, other.method.settings
                keys = [f"prune.{key}" for key in sorted({*own, *others}) if own.get(key) != others.get(key)]
                found[run] = (
                    f"{run.folder.name} and {other.folder.name} are both called {run.method.short} and differ in "
                    f"{', '.join(keys)}; let `short` of the method's class say so"
                )
            elif run.seed in kept:
                found[run] = (
                    f"{run.folder.name} is of the same method, scope and seed as {kept[run.seed].folder.name}; "
                    "remove one of the folders, or move it away"
                )
            else:
                kept[run.seed] = run
    return found


@dataclass(frozen=True)
class Missing:
    """A scope and method of a study whose runs with these seeds are not finished; `state` says how far they are."""

    study: Study
    scope: str
    method: Method
    seeds: tuple[int, ...]
    state: str = "no run"

    @property
    def never_run(self) -> bool:
        """Whether the method has no run at all in this scope, of any seed."""
        return not any((run.scope, run.method) == (self.scope, self.method) for run in self.study.all_runs)

    @property
    def command(self) -> str:
        return command("src.main", run_words(self.study, self.scope, self.method, self.seeds))

    @property
    def short(self) -> str:
        seeds = ", ".join(str(seed) for seed in self.seeds)
        return f"missing: {self.method.text}, scope {self.scope}, seed{'s' if len(self.seeds) > 1 else ''} {seeds}"

    def __str__(self) -> str:
        what = self.short.removeprefix("missing: ")
        return f"{self.study.setting.text}: {what}: {self.state}; make with\n    {self.command}"


def missing_runs(study: Study, conditions: Sequence[Condition]) -> tuple[Missing, ...]:
    """Every condition should have the seeds that any of them has."""
    finished = {condition: {run.seed for run in study.series(*condition)} for condition in conditions}
    stopped = {c: [run for run in study.unfinished if (run.scope, run.method) == c] for c in conditions}
    seeds = set().union(*finished.values(), (run.seed for runs in stopped.values() for run in runs)) or {0}
    found = []
    for condition in dict.fromkeys(conditions):
        halves = [run for run in stopped[condition] if run.seed not in finished[condition]]
        for run in halves:
            reason = f": {run.reason}" if run.reason else ""
            stands = "has failed" if run.status == "failed" else "is not finished"
            state = f"{run.name} {stands} at {run.iterations_done} of {run.iterations_total} iterations{reason}"
            found.append(Missing(study, *condition, (run.seed,), state))
        if never := seeds - finished[condition] - {run.seed for run in halves}:
            found.append(Missing(study, *condition, tuple(sorted(never))))
    return tuple(found)


def run_words(study: Study, scope: str, method: Method, seeds: Sequence[int]) -> list[str]:
    """Words of `src.main` for a method and scope, made as a run of the study was: its choices, then its overrides."""
    run = next((run for run in study.all_runs if run.method == method), study.all_runs[0])
    choices = {group: choice for group, choice in run.choices.items() if group.split("/")[0] in GROUPS}
    given_anyway = (*choices, "experiment", "seed", "output_dir", "prune.scope")
    experiment, folders = run.choices.get("experiment"), [Path(run.config_dir)] if run.config_dir else []
    body = settings_of(experiment, folders) if experiment else {}
    words = [*(setting_word(key, value) for key, value in body.items()), *map(str, run.overrides)]
    overrides = {word.split("=", 1)[0].lstrip("+"): word for word in words}  # each key once
    overrides = {key: word for key, word in overrides.items() if key not in given_anyway}
    own = [word for key, word in overrides.items() if _is_of_the_method(key)]
    if run.method != method:
        choices = {group: choice for group, choice in choices.items() if not _is_of_the_method(group)}
        choices["prune"] = method.kind
        own = [setting_word(f"prune.{key}", value) for key, value in method.settings.items()]
    ordered = dict.fromkeys(group for group in (*GROUPS, *sorted(choices)) if group in choices)
    shared = [word for key, word in overrides.items() if not _is_of_the_method(key) and not key.startswith("hydra")]
    return [
        *(["--config-dir", run.config_dir] if run.config_dir else []),
        *(setting_word(group, choices[group]) for group in ordered), *own, f"prune.scope={scope}", *shared,
        f"seed={','.join(map(str, seeds))}", *output_words(run.output_dir), *["-m"] * (len(seeds) > 1),
    ]  # fmt: skip


def _is_of_the_method(key: str) -> bool:
    return key.startswith(("prune.", "prune/")) and key != "prune.iterations"
