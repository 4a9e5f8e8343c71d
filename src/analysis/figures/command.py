"""From settings to files: choose, check, build, draw."""

import gc
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path

from src.analysis.figures.catalogue import ALIASES, KINDS, Request, requests
from src.analysis.figures.guidance import figure_command, in_no_figure, nothing_to_draw
from src.analysis.figures.plan import Plan
from src.analysis.figures.spec import FigureSpec
from src.analysis.figures.style import style_named
from src.analysis.published.distance import write_distances
from src.analysis.published.overlay import with_published
from src.analysis.settings import FORMATS, FigureSettings
from src.config.command_line import read_settings, run_command
from src.errors import UserError
from src.records.library import Library, Missing, load_library, missing_runs, unique
from src.records.study import Selection, Study, studies

WORTH_A_POOL = 8
"""With fewer figures than this, starting processes costs more than it saves."""

HELP = f"""Draw figures from the records in <output_dir>/runs.

Use:  python -m src.figures [figure=NAME,...] [key=value ...]

  figure       all (default), a kind ({", ".join(KINDS)}) or a figure of the paper ({", ".join(ALIASES)})
  dataset, model, scope, method, trainer, protocol, experiment, seed
               which records; several with commas; default: all that there are
  reading      corrected (default): what was measured; published: reported as in the paper
  plot.KEY     one reporting choice: accuracy, ratio_axes, si_layer_pq, legacy_overflow, pr_std, curve_pq,
               diff_std, ddof, one_shot_difference, ratio_x, final_accuracy
  style        default (clean, safe for colour-blind readers) or paper
  overlay      true draws the published curves behind ours, where there are any, and writes the table of distances
  incomplete   error (default): name missing runs and leave their figures out; draw: draw what there is
               (with figure=all, a method of which there is no run at all is named and does not stop a figure)
  formats      {",".join(FORMATS)}
  output_dir   outputs; destination: <output_dir>/figures; workers: processes, default one per core
"""


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

    return run_command(arguments, HELP, body)


def draw_figures(settings: FigureSettings) -> Outcome:
    """Draw all figures asked for. Raises UserError where there is nothing to draw."""
    _check(settings)
    library = load_library(settings.output_dir, settings)
    grouped = studies(library.runs, settings)
    chosen = plan_figures(settings, grouped, library)
    missing = {plan: missing_runs(plan.study, plan.conditions) for plan in chosen}
    absent = unique(m for found in missing.values() for m in found)
    never_run = {m for m in absent if settings.takes_all and m.never_run}
    drawn = [plan for plan in chosen if settings.incomplete == "draw" or set(missing[plan]) <= never_run]
    specs, damaged = build_all([plan for plan in drawn if plan.drawable], settings, missing)
    folder = settings.folder("figures")
    paths = _draw_all(specs, settings, folder)
    if settings.overlay:
        paths += write_distances(specs, folder, settings.marks)
    wrong = [f"left out: {problem}" for problem in (*library.problems, *damaged)]
    wrong += _listed("missing runs:", [m for m in absent if m not in never_run])
    if len(drawn) < len(chosen):
        wrong.append(
            f"{len(chosen) - len(drawn)} figures that need them are not drawn; incomplete=draw draws what there is"
        )
    notes = _listed("drawn without these, of which there is no run:", [m for m in absent if m in never_run])
    guests = unique(m for plan in drawn for m in missing_runs(plan.study, plan.guests))
    notes += _listed("drawn without these, of methods that are not the paper's:", guests)
    notes += in_no_figure(grouped, chosen) if settings.takes_all and settings.method is None else ()
    return Outcome(tuple(paths), (*wrong, *notes), settings.incomplete == "draw" or not wrong)


def plan_figures(settings: FigureSettings, grouped: Sequence[Study], library: Library) -> list[Plan]:
    """The figures that the settings ask for and that there are records of. Raises UserError where there are none."""
    found = [(request, _plans(request, grouped)) for request in requests(settings)]
    plans = [plan for _, plans in found for plan in plans]
    empty = [request for request, plans in found if not plans]
    if not plans or (empty and not settings.takes_all):
        left_out = "".join(f"\nleft out: {problem}" for problem in library.problems)
        raise UserError(nothing_to_draw(empty, settings, studies(library.runs)) + left_out)
    return plans


def build_all(
    plans: Sequence[Plan], settings: FigureSettings, missing: Mapping[Plan, Sequence[Missing]]
) -> tuple[list[FigureSpec], list[str]]:
    """The figures' contents, and what is wrong with the records of those that could not be read."""
    specs, damaged = [], []
    for plan in plans:
        try:
            specs.append(build(plan, settings, missing[plan]))
        except UserError as error:
            damaged.append(f"{plan.kind} of {plan.study.setting.text}: {error}")
    return specs, damaged


def build(plan: Plan, settings: FigureSettings, missing: Sequence[Missing] = ()) -> FigureSpec:
    """The figure's content in the reading asked for, with the published curves where they are; missing runs noted."""
    reading = settings.resolved_reading()
    spec = plan.build(reading)
    marks = ["paper"] * (settings.style == "paper")
    if not plan.compares_readings:
        if settings.overlay:
            spec = with_published(spec, plan.study.setting, reading)
        marks = [*settings.marks, *["overlay"] * spec.has_published, *marks]
    notes = (*spec.notes, *(m.short for m in missing))
    command = figure_command(plan, settings)
    return replace(spec, name="-".join([spec.name, *marks]), notes=notes, setting=plan.study.setting, command=command)


def _check(settings: FigureSettings) -> None:
    if unknown := set(settings.formats) - set(FORMATS):
        raise UserError(f"formats={','.join(sorted(unknown))} is not known; choose from {', '.join(FORMATS)}")
    if settings.incomplete not in ("error", "draw"):
        raise UserError(f"incomplete={settings.incomplete} is not known; choose error or draw")
    style_named(settings.style)


def _plans(request: Request, grouped: Sequence[Study]) -> list[Plan]:
    """Of the studies whose data set and model are asked for."""
    asked = Selection(dataset=request.dataset, model=request.model)
    wanted = [study for study in grouped if any(map(asked.takes, study.all_runs))]
    return [plan for study in wanted for plan in KINDS[request.kind](request.kind, study, request.filter)]


def _draw_all(specs: Sequence[FigureSpec], settings: FigureSettings, folder: Path) -> list[Path]:
    task = partial(_draw_one, folder=folder, style=settings.style, formats=settings.formats)
    workers = settings.workers or cpu_count() or 1
    if len(specs) < WORTH_A_POOL or workers == 1:
        return [path for spec in specs for path in task(spec)]
    with ProcessPoolExecutor(workers, get_context("forkserver"), _start_worker) as pool:
        return [path for paths in pool.map(task, specs, chunksize=4) for path in paths]


def _start_worker() -> None:
    """Take what the imports made out of garbage collection, which would cost an eighth of the time."""
    gc.freeze()


def _draw_one(spec: FigureSpec, folder: Path, style: str, formats: Sequence[str]) -> list[Path]:
    from src.analysis.figures.drawing.row import draw, save

    look = style_named(style)
    return save(draw(spec, look), folder / spec.kind / spec.name, look, formats)


def _listed(heading: str, missing: Sequence[Missing]) -> list[str]:
    return [heading, *(f"  {m}" for m in missing)] if missing else []
