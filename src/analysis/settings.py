"""Which records a command takes, where it writes, and how figures are to be drawn."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, make_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from src.analysis.figures.readings import READINGS, Reading
from src.analysis.figures.spec import style_named
from src.config.command_line import default_output_dir, read_settings, run_command, setting_word
from src.errors import UserError
from src.files import write_text
from src.records.library import Library, load_library, missing_runs
from src.records.study import Selection, Study, studies

FORMATS = ("pdf", "svg", "png", "webp")
_CHOICES = [(choice.name, get_type_hints(Reading)[choice.name] | None, None) for choice in fields(Reading)]
PlotOptions = make_dataclass("PlotOptions", _CHOICES)
"""Single reporting choices (PROTOCOL 7.B), as of `Reading`; what is not given is the reading's."""


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
        names = [each.name for each in fields(self)] if names is None else names
        given = {key: value for key in names if (value := getattr(self, key)) != getattr(default, key)}
        return [
            setting_word(key, value) if isinstance(value, Path | bool)  # so that Hydra would take it too
            else f"{key}={','.join(value) if isinstance(value, tuple) else value}"
            for key, value in given.items()
        ]  # fmt: skip


@dataclass(frozen=True)
class FigureSettings(RecordSettings):
    """What to draw, of which records, how, and where to; None takes all."""

    figure: tuple[str, ...] = ("all",)
    scope: tuple[str, ...] | None = None
    method: tuple[str, ...] | None = None
    reading: str = "corrected"
    style: str = "default"
    overlay: bool = False
    incomplete: str = "error"
    formats: tuple[str, ...] = ("pdf", "png")
    workers: int | None = None
    plot: Any = field(default_factory=PlotOptions)

    def check(self) -> None:
        """Raise UserError for a word that is not known."""
        if unknown := set(self.formats) - set(FORMATS):
            raise UserError(f"formats={','.join(sorted(unknown))} is not known; choose from {', '.join(FORMATS)}")
        if self.incomplete not in ("error", "draw"):
            raise UserError(f"incomplete={self.incomplete} is not known; choose error or draw")
        if not all((*self.figure, *self.formats)) or not (self.figure and self.formats):
            raise UserError("figure= and formats= need a name each")
        if self.workers is not None and self.workers < 1:
            raise UserError(f"workers={self.workers}: at least one")
        if self.resolved_reading().ddof not in (0, 1):
            raise UserError("plot.ddof is 0 or 1")
        style_named(self.style)

    def resolved_reading(self) -> Reading:
        """The reading's preset with the choices of `plot` put on it; the default style's trade-off has a log axis."""
        if self.reading not in READINGS:
            raise UserError(f"reading={self.reading} is not known; choose one of {', '.join(READINGS)}")
        log = {"ratio_x": "log"} if (self.style, self.reading) == ("default", "corrected") else {}
        return Reading(**{**vars(READINGS[self.reading]), **log, **self._choices()})

    @property
    def takes_all(self) -> bool:
        return "all" in self.figure

    @property
    def plot_words(self) -> list[str]:
        return [f"{key}={str(value).lower()}" for key, value in self._choices().items()]

    @property
    def marks(self) -> tuple[str, ...]:
        """What the names of files say beyond the figure: the choices that are not the defaults."""
        return (*[self.reading] * (self.reading != "corrected"), *self.plot_words)

    def _choices(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self.plot).items() if value is not None}


Made = tuple[dict[str, str], list[str]]
"""Texts by file name, and messages."""


def write_from_records(
    arguments: Sequence[str], help_text: str, folder: str, make: Callable[[RecordSettings], Made]
) -> int:  # fmt: skip
    """Write the texts that `make` gives, print their paths, and its messages on stderr."""

    def body(words: list[str]) -> int:
        settings = read_settings(RecordSettings, words)
        texts, messages = make(settings)
        for name, text in texts.items():
            print(write_text(settings.folder(folder) / name, text))
        print(*messages, sep="\n", end="\n" * bool(messages), file=sys.stderr)
        return 0

    return run_command(arguments, help_text, body)


def choose(settings: RecordSettings) -> tuple[list[Study], Library, list[str]]:
    """The studies asked for with finished runs, all that was read, and a message for each thing that is missing.

    Raises UserError where no run is finished.
    """
    library = load_library(settings.output_dir, settings)
    grouped = studies(library.runs, settings)
    lines = [f"left out: {problem}" for problem in library.problems]
    for study in grouped:
        conditions = list(dict.fromkeys((run.scope, run.method) for run in study.all_runs))
        lines += map(str, missing_runs(study, conditions))
    if not any(study.runs for study in grouped):
        there = "".join(f"\n  {study.setting.text}" for study in studies(library.finished))
        listed = "".join(f"\n{line}" for line in lines)
        raise UserError(f"none of the runs asked for is finished{listed}\nfinished ones are of:{there or ' nothing'}")
    return [study for study in grouped if study.runs], library, lines
