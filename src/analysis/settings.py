"""Which records a command takes, and where it writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from src.config.command_line import default_output_dir
from src.config.commands import setting_word
from src.errors import UserError
from src.records.library import Library, load_library
from src.records.missing import missing_runs
from src.records.study import Selection, Study, studies


@dataclass(frozen=True)
class RecordSettings(Selection):
    """Keys of the command line beside the selection of records."""

    output_dir: Path = field(default_factory=default_output_dir)
    destination: Path | None = None

    def folder(self, name: str) -> Path:
        """Where to write: `destination`, or `<output_dir>/<name>`."""
        return self.destination or self.output_dir / name

    def words(self, names: Sequence[str] | None = None) -> list[str]:
        """`key=value` of the settings (of those with these names, in their order) that are not at their defaults."""
        default = type(self)()
        found = {}
        for key in (each.name for each in fields(self)):
            if (value := getattr(self, key)) != getattr(default, key):
                found[key] = _word(key, value)
        return [found[key] for key in (found if names is None else names) if key in found]


@dataclass(frozen=True)
class Chosen:
    """Studies with finished runs, everything that was read, and a message for each thing that is missing."""

    studies: tuple[Study, ...]
    library: Library
    messages: tuple[str, ...]


def choose(settings: RecordSettings) -> Chosen:
    """Read the records asked for. Raises UserError where none of them is finished."""
    library = load_library(settings.output_dir, settings)
    grouped = studies(library.runs, settings)
    lines = [f"left out: {problem}" for problem in library.problems]
    for study in grouped:
        conditions = list(dict.fromkeys((run.scope, run.method) for run in study.all_runs))
        lines += map(str, missing_runs(study, conditions))
    finished = tuple(study for study in grouped if study.runs)
    if not finished:
        there = "".join(f"\n  {study.setting.text}" for study in studies(library.finished))
        listed = "".join(f"\n{line}" for line in lines)
        raise UserError(f"none of the runs asked for is finished{listed}\nfinished ones are of:{there or ' nothing'}")
    return Chosen(finished, library, tuple(lines))


def _word(key: str, value: object) -> str:
    """As `read_settings` reads it back: text as it stands, a path so that Hydra would take it too."""
    if isinstance(value, Path | bool):
        return setting_word(key, value)
    return f"{key}={','.join(value) if isinstance(value, tuple) else value}"
