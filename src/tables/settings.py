"""Which records a command takes, and where it writes."""

from dataclasses import dataclass, fields
from pathlib import Path

from src.errors import UserError
from src.figures.records import Library, Selection, Study, load_library, studies
from src.figures.records.completeness import Want, missing
from src.figures.settings import several


@dataclass
class RecordSettings:
    """Keys of the command line; values with commas are lists, null takes all."""

    dataset: str | None = None
    model: str | None = None
    trainer: str | None = None
    protocol: str | None = None
    experiment: str | None = None
    seed: str | None = None
    output_dir: str = "outputs"
    destination: str | None = None

    def folder(self, name: str) -> Path:
        """Where to write: `destination`, or `<output_dir>/<name>`."""
        return Path(self.destination) if self.destination else Path(self.output_dir) / name

    def selection(self) -> Selection:
        """The records asked for."""
        return Selection(**{field.name: several(getattr(self, field.name)) for field in fields(Selection)})


@dataclass(frozen=True)
class Chosen:
    """Studies with finished runs, everything that was read, and a message for each thing that is missing."""

    studies: tuple[Study, ...]
    library: Library
    messages: tuple[str, ...]


def choose(settings: RecordSettings) -> Chosen:
    """Read the records asked for. Raises UserError where none of them is finished."""
    library = load_library(Path(settings.output_dir))
    grouped = studies(library.runs, settings.selection())
    lines = [f"left out: {problem}" for problem in library.problems]
    lines += [str(found) for study in grouped for found in missing(study, _present(study))]
    finished = tuple(study for study in grouped if study.runs)
    if not finished:
        there = "".join(f"\n  {study.setting.text}" for study in studies(library.finished))
        told = "".join(f"\n{line}" for line in lines)
        raise UserError(f"none of the runs asked for is finished{told}\nfinished ones are of:{there or ' nothing'}")
    return Chosen(finished, library, tuple(lines))


def _present(study: Study) -> list[Want]:
    """Every scope and method that has a run, finished or not."""
    runs = (*study.runs, *study.unfinished)
    return list({(run.scope, run.method.key): (run.scope, run.method) for run in runs}.values())
