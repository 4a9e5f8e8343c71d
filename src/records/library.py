"""All runs below an output folder."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from src.config.command_line import default_output_dir
from src.config.commands import command, setting_word
from src.errors import UserError
from src.records.run import Run, load_run
from src.records.study import EVERYTHING, Selection, Setting


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
    runs: list[Run] = []
    problems: list[str] = []
    for path in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        try:
            run = load_run(path)
            if run.finished and selection.takes(run):
                _ = run.table, run.layers
            runs.append(run)
        except UserError as error:
            problems.append(str(error))
    doubles = _doubles(runs)
    runs = [run for run in runs if run not in doubles]
    problems += doubles.values()
    if not runs:
        words = ["experiment=quickstart", *output_words(output_dir)]
        seen = "".join(f"\n  {problem}" for problem in problems)
        start = command("src.main", words)
        raise UserError(f"no records in {folder}; make some with\n  {start}{seen and f'{chr(10)}Found:{seen}'}")
    return Library(tuple(runs), tuple(problems))


def output_words(output_dir: Path) -> list[str]:
    """`output_dir=PATH` for a command, where that is not the default."""
    return [] if output_dir == default_output_dir() else [setting_word("output_dir", output_dir)]


def _doubles(runs: Iterable[Run]) -> dict[Run, str]:
    """Runs that cannot be told from others, and why: they are left out, so that the others can be shown."""
    found: dict[Run, str] = {}
    groups: dict[tuple[Setting, str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((Setting.of(run), run.scope, run.method.short), []).append(run)
    for members in groups.values():
        common = Counter(map(_settings, members)).most_common(1)[0][0]
        kept: dict[int, Run] = {}
        for run in sorted(members, key=lambda run: (run.folder.name != run.name, not run.finished)):
            if _settings(run) != common:
                other = next(member for member in members if _settings(member) == common)
                found[run] = _nameless(run, other)
            elif run.seed in kept:
                found[run] = (
                    f"{run.folder.name} is of the same method, scope and seed as {kept[run.seed].folder.name}; "
                    "remove one of the folders, or move it away"
                )
            else:
                kept[run.seed] = run
    return found


def _settings(run: Run) -> str:
    return json.dumps(run.method.settings, sort_keys=True, default=str)


def _nameless(run: Run, other: Run) -> str:
    own, others = run.method.settings, other.method.settings
    keys = [key for key in sorted({*own, *others}) if own.get(key) != others.get(key)]
    return (
        f"{run.folder.name} and {other.folder.name} are both called {run.method.short} and differ in "
        f"{', '.join(f'prune.{key}' for key in keys)}; let `short` of the method's class say so"
    )
