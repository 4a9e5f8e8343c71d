"""Every kind of figure, the names of the paper's figures for them, and what settings ask for of both."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from src.analysis.figures import compared, errors, kinds
from src.analysis.figures.plan import Filter, Plan, Planner
from src.analysis.figures.spec import FigureSpec
from src.analysis.published.curves import with_published
from src.analysis.settings import FigureSettings
from src.config.command_line import command
from src.config.experiment import networks
from src.config.part import cut_name
from src.errors import UserError
from src.records.library import Library, Missing, output_words
from src.records.method import ABLATIONS, SAP
from src.records.schema import SCOPES
from src.records.study import Selection, Study, studies

KINDS: dict[str, Planner] = {
    "prune": kinds.plans, "pruned": kinds.plans, **dict.fromkeys(ABLATIONS, kinds.ablations),
    "ratio": kinds.tradeoffs, "layer": kinds.layers, "si_layer": kinds.layers, "pq": kinds.heat_maps,
    "controls": compared.controls, "errors": errors.plans,
}  # fmt: skip
ACROSS: dict[str, Callable[[Sequence[Study], Filter], list[Plan]]] = {"length": compared.lengths}
"""Kinds that compare studies."""
_OF_THE_CNN: dict[str, Any] = {"dataset": ("cifar10",), "model": ("cnn",), "scope": ("global",)}
_ACROSS, _OF_SAP = _OF_THE_CNN | {"scope": None}, _OF_THE_CNN | {"scope": None, "method": (SAP.short,)}
ALIASES: dict[str, dict[str, dict[str, Any]]] = {
    "fig2": dict.fromkeys(("prune", "pruned"), _OF_THE_CNN),
    "fig3": {"ratio": _ACROSS, "layer": _OF_SAP, "si_layer": _OF_SAP},
    "fig4": dict.fromkeys(("p", "q"), _OF_THE_CNN),
    "fig5": dict.fromkeys(("eta", "gamma"), _OF_THE_CNN),
    "readme": dict.fromkeys(("prune", "pruned"), _OF_THE_CNN | {"model": ("resnet18",)}),
}
"""A figure of the paper: its kinds, and what each is drawn of where nothing else is asked for."""
_RECORDS = ("trainer", "protocol", "experiment", "seed")
GIVEN = ("method", *_RECORDS, "reading", "style", "overlay", "incomplete", "output_dir")
"""Settings that the command of a figure repeats."""
LONGEST = 200
"""Letters of a file's name, before its suffix."""
Request = tuple[str, Filter]
"""A kind, and what it is asked for of."""


def requests(settings: FigureSettings) -> list[Request]:
    """What `figure=` asks for, in order, each once. Raises UserError for an unknown name."""
    if unknown := set(settings.scope or ()) - set(SCOPES):
        raise UserError(f"scope={','.join(sorted(unknown))} is not known; choose from {', '.join(SCOPES)}")
    names: dict[str, dict[str, dict[str, Any]]] = {"all": {kind: {} for kind in (*KINDS, *ACROSS)}}
    names |= {kind: {kind: {}} for kind in (*KINDS, *ACROSS)}
    names |= ALIASES
    found = []
    for name in settings.figure:
        if name not in names:
            raise UserError(f"figure={name} is not known; choose from {', '.join(names)}")
        for kind, defaults in names[name].items():
            keys = ("scope", "method", "dataset", "model")
            scopes, *others = (getattr(settings, key) or defaults.get(key) for key in keys)
            found.append((kind, Filter(scopes or SCOPES, *others)))
    return list(dict.fromkeys(found))


def plan_figures(settings: FigureSettings, grouped: Sequence[Study], library: Library) -> list[Plan]:
    """The figures that the settings ask for and that there are records of. Raises UserError where there are none."""
    plans: list[Plan] = []
    empty = []
    for kind, chosen in requests(settings):
        asked = Selection(dataset=chosen.dataset, model=chosen.model)
        wanted = [study for study in grouped if any(map(asked.takes, study.all_runs))]
        if kind == "errors" and kind not in settings.figure:  # what the paper got wrong is shown on its networks
            wanted = [study for study in wanted if of_the_paper(study)]
        if kind in ACROSS:
            found = ACROSS[kind](wanted, chosen)
        else:
            found = [plan for study in wanted for plan in KINDS[kind](kind, study, chosen)]
        plans += found
        empty += [] if found else [(kind, chosen)]
    if not plans or (empty and not settings.takes_all):
        left_out = "".join(f"\nleft out: {problem}" for problem in library.problems)
        raise UserError(_nothing_to_draw(empty, settings, studies(library.runs)) + left_out)
    return plans


def of_the_paper(study: Study) -> bool:
    """Whether the paper's experiments have the study's data set and model."""
    pairs = networks("paper")
    return any((run.choices.get("dataset", run.dataset), run.choices.get("model", run.model)) in pairs
               for run in study.all_runs)  # fmt: skip


def build(plan: Plan, settings: FigureSettings, missing: Sequence[Missing] = ()) -> FigureSpec:
    """The figure's content in the reading asked for, with the published curves where they are; missing runs noted."""
    reading = settings.resolved_reading()
    spec = plan.build(reading)
    marks = ["paper"] * (settings.style == "paper")
    if not plan.compares_readings:
        if settings.overlay:
            spec = with_published(spec, plan.study.setting, reading)
        marks = [*settings.marks, *["overlay"] * spec.has_published, *marks]
    # The command draws others of the kind as well where the study is not alone.
    setting = plan.study.setting
    words = [f"figure={plan.kind}", f"dataset={setting.dataset}", f"model={setting.model}"]
    words += [f"scope={scope}" for scope in plan.scopes if len(plan.scopes) == 1]
    if settings.method is None and plan.kind in ("layer", "si_layer"):
        words.append(f"method={plan.series[0].method.short}")
    words += [f"trainer={setting.trainer}"] * (settings.trainer is None)
    words += [f"protocol={setting.protocol}"] * (settings.protocol is None and setting.protocol != "reference")
    words += [*settings.words(GIVEN), *(f"plot.{word}" for word in settings.plot_words)]
    notes, name = (*spec.notes, *(m.short for m in missing)), cut_name("-".join([spec.name, *marks]), LONGEST)
    shown = [s.method for s in plan.series if any(plan.study.series(scope, s.method) for scope in plan.scopes)]
    caption = spec.caption
    if any(method.leaves_layers_out for method in shown):
        caption += " A method without some layers: weights and PQ Index are of its other layers only."
    return replace(spec, name=name, notes=notes, caption=caption, command=command("src.figures", words))


def in_no_figure(grouped: Iterable[Study], plans: Sequence[Plan]) -> tuple[str, ...]:
    """A line for each study with methods that none of the plans shows."""
    shown = {(p.study.name, *condition) for p in plans for condition in (*p.conditions, *p.guests)}
    lines = []
    for study in grouped:
        conditions = {(study.name, study.scope(run.scope), run.method) for run in study.runs}
        hidden = {method.short for *_, method in conditions - shown}
        if methods := ",".join(sorted(hidden)):
            lines.append(f"{study.setting.text}: not in the paper's figures: {methods}; draw with method={methods}")
    return tuple(lines)


def _nothing_to_draw(empty: Sequence[Request], settings: FigureSettings, grouped: Iterable[Study]) -> str:
    """Message: what was asked for, what there is, and the commands that make what is not there."""
    kinds = ",".join(kind for kind, _ in empty)
    asked = ", ".join(settings.words(("dataset", "model", "scope", "method", *_RECORDS)))
    commands = "".join(f"\n  {line}" for line in dict.fromkeys(_runs_for(*request, settings) for request in empty))
    there = ""
    for study in grouped:
        for scope in sorted({run.scope for run in study.all_runs}):
            found = sorted({run.method.short for run in study.all_runs if run.scope == scope})
            there += f"\n  {study.setting.text}, {scope}: {', '.join(found)}"
    return (
        f"no records for figure={kinds}{f' with {asked}' if asked else ''}; make them with{commands}\n"
        f"or choose among the records that there are:{there}"
    )


def _runs_for(kind: str, chosen: Filter, settings: FigureSettings) -> str:
    words = [f"{key}={','.join(values)}" for key in ("dataset", "model") if (values := getattr(chosen, key))]
    words += settings.words(("trainer", "protocol"))
    words += ["trainer.epochs=20,200"] * (kind == "length")
    if sweep := ABLATIONS.get(kind):
        values = ",".join(f"{value:g}" for value in sweep.values)
        words += [f"prune={'sap_1_2' if sweep.parameter == 'q' else 'sap'}", f"prune.{sweep.parameter}={values}"]
    else:
        words += ["prune=sap,lottery_ticket" if kind == "controls" else "prune=sap,sap_1_2,lottery_ticket,one_shot"]
        words += ["prune/rewind=to_epoch,fine_tune,fresh"] * (kind == "controls")
    across = kind in ("ratio", "layer", "si_layer", "errors")
    if across or len(chosen.scopes) < len(SCOPES):
        words.append(f"prune.scope={','.join(SCOPES if across else chosen.scopes)}")
    words.append(f"seed={','.join(settings.seed or ('0', '1', '2', '3'))}")
    return command("src.main", [*words, *output_words(settings.output_dir), "-m"])
