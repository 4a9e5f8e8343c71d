"""Draw figures from the records in <output_dir>/runs.

Use:  python -m src.figures [figure=NAME,...] [key=value ...]

  figure       all (default), a kind ({kinds}), a figure of the paper ({figures}),
               or one of the published curves alone, which needs no records ({of_paper})
  dataset, model, scope, method, trainer, protocol, experiment, seed
               which records; several with commas; default: all that there are
  reading      corrected (default): what was measured; published: reported as in the paper
  plot.KEY     one reporting choice: accuracy, ratio_axes, si_layer_pq, legacy_overflow, pr_std, curve_pq,
               diff_std, ddof, one_shot_difference, ratio_x, final_accuracy
  style        default (clean, safe for colour-blind readers) or paper
  overlay      true draws the published curves behind ours, where there are any, and writes the table of distances
  incomplete   error (default): name missing runs and leave their figures out; draw: draw what there is
               (with figure=all, a method of which there is no run at all is named and does not stop a figure)
  formats      pdf,png (default), svg, webp
  output_dir   outputs; destination: <output_dir>/figures; workers: processes, default one per core
"""

import gc
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path

from src.analysis.figures.catalogue import ACROSS, ALIASES, KINDS, build, in_no_figure, plan_figures
from src.analysis.figures.of_paper import OF_PAPER
from src.analysis.figures.spec import FigureSpec, style_named
from src.analysis.published.distance import write_distances
from src.analysis.settings import FigureSettings
from src.analysis.tables.of_paper import TABLES
from src.analysis.tables.table import FORMATS
from src.config.command_line import read_settings, run_command
from src.errors import UserError
from src.files import write_text
from src.records.library import Missing, load_library, missing_runs
from src.records.study import studies

WORTH_A_POOL = 8
"""With fewer figures than this, starting processes costs more than it saves."""


@dataclass(frozen=True)
class Outcome:
    """The files written; what to tell the user; whether all that was asked for is there."""

    paths: tuple[Path, ...]
    messages: tuple[str, ...]
    complete: bool


def main(arguments: Sequence[str]) -> int:
    """Draw what is asked for and print the files' paths; the status is 1 where something asked for is missing."""

    def body(words: list[str]) -> int:
        outcome = draw_figures(read_settings(FigureSettings, words))
        print(*outcome.paths, sep="\n", end="\n" * bool(outcome.paths))
        print(*outcome.messages, sep="\n", end="\n" * bool(outcome.messages), file=sys.stderr)
        return 0 if outcome.complete else 1

    names = {"kinds": (*KINDS, *ACROSS), "figures": ALIASES, "of_paper": OF_PAPER}
    help_text = str(__doc__).format(**{key: ", ".join(value) for key, value in names.items()})
    return run_command(arguments, help_text, body)


def draw_figures(settings: FigureSettings) -> Outcome:
    """Draw all figures asked for. Raises UserError where there is nothing to draw."""
    settings.check()
    published = tuple(name for name in settings.figure if name in OF_PAPER)
    of_records = tuple(name for name in settings.figure if name not in OF_PAPER)
    drawn = _of_paper(replace(settings, figure=published)) if published else ()
    if not of_records:
        return Outcome(drawn, (), True)
    outcome = _of_records(replace(settings, figure=of_records))
    return replace(outcome, paths=(*drawn, *outcome.paths))


def _of_records(settings: FigureSettings) -> Outcome:
    """Figures of what has been run."""
    library = load_library(settings.output_dir, settings)
    grouped = studies(library.runs, settings)
    chosen = plan_figures(settings, grouped, library)
    missing = {plan: missing_runs(plan.study, plan.conditions) for plan in chosen}
    absent = list(dict.fromkeys(m for found in missing.values() for m in found))
    never_run = {m for m in absent if settings.takes_all and m.never_run}
    drawn = [plan for plan in chosen if settings.incomplete == "draw" or set(missing[plan]) <= never_run]
    specs: list[FigureSpec] = []
    wrong = [f"left out: {problem}" for problem in library.problems]
    for plan in drawn:
        try:
            specs += [build(plan, settings, missing[plan])] if plan.drawable else []
        except UserError as error:
            wrong.append(f"left out: {plan.kind} of {plan.study.setting.text}: {error}")
    folder = settings.folder("figures")
    paths = _draw_all(specs, settings, folder)
    if settings.overlay:
        paths += write_distances(specs, folder, settings.marks)
    wrong += _listed("missing runs:", [m for m in absent if m not in never_run])
    if left := len(chosen) - len(drawn):
        need = "figure that needs them is" if left == 1 else "figures that need them are"
        wrong.append(f"{left} {need} not drawn; incomplete=draw draws what there is")
    notes = _listed("drawn without these, of which there is no run:", [m for m in absent if m in never_run])
    guests = list(dict.fromkeys(m for plan in drawn for m in missing_runs(plan.study, plan.guests)))
    notes += _listed("drawn without these, of methods that are not the paper's:", guests)
    notes += in_no_figure(grouped, chosen) if settings.takes_all and settings.method is None else ()
    complete = bool(paths) and (settings.incomplete == "draw" or not wrong)
    return Outcome(tuple(paths), (*wrong, *notes), complete)


def _of_paper(settings: FigureSettings) -> tuple[Path, ...]:
    """Figures of the published curves, and the table of each; the paths."""
    folder = settings.folder("figures")
    paths = _draw_all([OF_PAPER[name]() for name in settings.figure], settings, folder)
    for name in settings.figure:
        for table in (made() for made in TABLES[name]):
            paths += [write_text(folder / name / f"{table.name}.{end}", text(table)) for end, text in FORMATS.items()]
    return tuple(paths)


def _draw_all(specs: Sequence[FigureSpec], settings: FigureSettings, folder: Path) -> list[Path]:
    task = partial(_draw, folder=folder, style=settings.style, formats=settings.formats)
    workers = settings.workers or cpu_count() or 1
    if len(specs) < WORTH_A_POOL or workers == 1:
        return [path for spec in specs for path in task(spec)]
    context = get_context("forkserver")
    # Imported once for all processes; what that made is taken out of garbage collection, an eighth of the time.
    context.set_forkserver_preload(["src.analysis.figures.catalogue", "src.analysis.figures.drawing.figure"])
    with ProcessPoolExecutor(workers, context, gc.freeze) as pool:
        return [path for paths in pool.map(task, specs, chunksize=4) for path in paths]


def _draw(spec: FigureSpec, folder: Path, style: str, formats: Sequence[str]) -> list[Path]:
    """`<folder>/<kind>/<name>.<format>` of a figure; the paths."""
    from src.analysis.figures.drawing.figure import draw, save

    look = style_named(style)
    return save(draw(spec, look), folder / spec.kind / spec.name, look, formats)


def _listed(heading: str, missing: Sequence[Missing]) -> list[str]:
    return [heading, *(f"  {m}" for m in missing)] if missing else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
