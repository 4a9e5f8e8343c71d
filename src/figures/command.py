"""From settings to files: choose, check, build, draw."""

import gc
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path

from src.errors import UserError
from src.figures.catalogue import ALIASES, KINDS, Request, requests
from src.figures.drawing import FORMATS, draw, save
from src.figures.guidance import figure_command, in_no_figure, nothing_to_draw
from src.figures.plan import Plan
from src.figures.published import with_published
from src.figures.published.table import write_distances
from src.figures.records import Library, Study, load_library, studies
from src.figures.records.completeness import Missing, missing, unique
from src.figures.settings import FigureSettings, several
from src.figures.spec import FigureSpec
from src.figures.style import style_named

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


def draw_figures(settings: FigureSettings) -> Outcome:
    """Draw all figures asked for. Raises UserError where there is nothing to draw."""
    formats = several(settings.formats) or FORMATS
    if unknown := set(formats) - set(FORMATS):
        raise UserError(f"formats={','.join(sorted(unknown))} is not known; choose from {', '.join(FORMATS)}")
    if settings.incomplete not in ("error", "draw"):
        raise UserError(f"incomplete={settings.incomplete} is not known; choose error or draw")
    style_named(settings.style)
    library = load_library(Path(settings.output_dir))
    grouped = studies(library.runs, settings.selection())
    chosen = plan_figures(settings, grouped, library)
    lacking = {plan: missing(plan.study, plan.wants) for plan in chosen}
    absent = unique(m for found in lacking.values() for m in found)
    never_run = {m for m in absent if settings.takes_all and m.never_run}
    drawn = [plan for plan in chosen if settings.incomplete == "draw" or set(lacking[plan]) <= never_run]
    specs, damaged = _build_all([plan for plan in drawn if plan.drawable], settings, lacking)
    folder = Path(settings.destination) if settings.destination else Path(settings.output_dir) / "figures"
    paths = _draw_all(specs, settings, formats, folder)
    if settings.overlay:
        paths += write_distances(specs, folder, settings.marks)
    wrong = [f"left out: {problem}" for problem in (*library.problems, *damaged)]
    wrong += _listed("missing runs:", [m for m in absent if m not in never_run])
    if len(drawn) < len(chosen):
        wrong.append(
            f"{len(chosen) - len(drawn)} figures that need them are not drawn; incomplete=draw draws what there is"
        )
    notes = _listed("drawn without these, of which there is no run:", [m for m in absent if m in never_run])
    notes += in_no_figure(grouped, chosen) if settings.takes_all and settings.method is None else ()
    return Outcome(tuple(paths), (*wrong, *notes), settings.incomplete == "draw" or not wrong)


def plan_figures(settings: FigureSettings, grouped: Sequence[Study], library: Library) -> list[Plan]:
    """The figures that the settings ask for and that there are records of. Raises UserError where there are none."""
    found = [(request, _plans(request, grouped)) for request in requests(settings)]
    plans = [plan for _, plans in found for plan in plans]
    empty = [request for request, plans in found if not plans]
    if not plans or (empty and not settings.takes_all):
        raise UserError(nothing_to_draw(empty, settings, studies(library.runs)))
    return plans


def _build_all(
    plans: Sequence[Plan], settings: FigureSettings, lacking: Mapping[Plan, Sequence[Missing]]
) -> tuple[list[FigureSpec], list[str]]:
    """The figures' contents, and what is wrong with the records of those that could not be read."""
    specs, damaged = [], []
    for plan in plans:
        try:
            specs.append(build(plan, settings, lacking[plan]))
        except UserError as error:
            damaged.append(f"{plan.kind} of {plan.study.setting.text}: {error}")
    return specs, damaged


def build(plan: Plan, settings: FigureSettings, lacking: Sequence[Missing] = ()) -> FigureSpec:
    """The figure's content in the reading asked for, with the published curves where they are; missing runs noted."""
    reading = settings.resolved_reading()
    spec = plan.build(reading)
    marks = ["paper"] * (settings.style == "paper")
    if not plan.compares_readings:
        if settings.overlay:
            spec = with_published(spec, plan.study.setting, reading)
        marks = [*settings.marks, *["overlay"] * spec.has_published, *marks]
    notes = (*spec.notes, *(m.short for m in lacking))
    command = figure_command(plan, settings)
    return replace(spec, name="-".join([spec.name, *marks]), notes=notes, setting=plan.study.setting, command=command)


def _plans(request: Request, grouped: Iterable[Study]) -> list[Plan]:
    wanted = [
        study
        for study in grouped
        if (request.dataset is None or study.setting.dataset in request.dataset)
        and (request.model is None or study.setting.model in request.model)
    ]
    return [plan for study in wanted for plan in KINDS[request.kind](study, request.filter)]


def _draw_all(
    specs: Sequence[FigureSpec], settings: FigureSettings, formats: Sequence[str], folder: Path
) -> list[Path]:
    task = partial(_draw_one, folder=folder, style=settings.style, formats=tuple(formats))
    workers = settings.workers or cpu_count() or 1
    if len(specs) < WORTH_A_POOL or workers == 1:
        return [path for spec in specs for path in task(spec)]
    with ProcessPoolExecutor(workers, get_context("forkserver"), _start_worker) as pool:
        return [path for paths in pool.map(task, specs, chunksize=4) for path in paths]


def _start_worker() -> None:
    """Take what the imports made out of garbage collection, which would cost an eighth of the time."""
    gc.freeze()


def _draw_one(spec: FigureSpec, folder: Path, style: str, formats: Sequence[str]) -> list[Path]:
    look = style_named(style)
    return save(draw(spec, look), folder / spec.kind / spec.name, look, formats)


def _listed(heading: str, lacking: Sequence[Missing]) -> list[str]:
    return [heading, *(f"  {m}" for m in lacking)] if lacking else []
