"""What to tell a user who asks for figures that there are no records of, or has records that no figure shows."""

from collections.abc import Iterable, Sequence

from src.analysis.figures.catalogue import Request
from src.analysis.figures.plan import Plan
from src.analysis.settings import FigureSettings
from src.config.commands import command
from src.records.library import output_words
from src.records.method import ABLATIONS
from src.records.schema import SCOPES
from src.records.study import Study

ACROSS_SCOPES = ("ratio", "layer", "si_layer", "errors")
FOUR = "prune=sap,sap_1_2,lottery_ticket,one_shot"
AS_GIVEN = ("method", "trainer", "protocol", "experiment", "seed", "reading", "style", "overlay", "incomplete",
            "output_dir")  # fmt: skip
RECORDS = ("dataset", "model", "scope", "method", "trainer", "protocol", "experiment", "seed")


def nothing_to_draw(empty: Sequence[Request], settings: FigureSettings, grouped: Iterable[Study]) -> str:
    """Message: what was asked for, what there is, and the commands that make what is not there."""
    kinds = ",".join(request.kind for request in empty)
    asked = ", ".join(settings.words(RECORDS))
    commands = "".join(f"\n  {line}" for line in dict.fromkeys(_command(request, settings) for request in empty))
    there = "".join(f"\n  {text}" for study in grouped for text in _contents(study))
    return (
        f"no records for figure={kinds}{f' with {asked}' if asked else ''}; make them with{commands}\n"
        f"or choose among the records that there are:{there}"
    )


def in_no_figure(grouped: Iterable[Study], plans: Sequence[Plan]) -> tuple[str, ...]:
    """A line for each study with methods that none of the plans shows."""
    shown = {(p.study.name, *condition) for p in plans for condition in (*p.conditions, *p.guests)}
    lines = []
    for study in grouped:
        hidden = {run.method.short for run in study.runs if (study.name, run.scope, run.method) not in shown}
        if hidden:
            methods = ",".join(sorted(hidden))
            lines.append(f"{study.setting.text}: not in the paper's figures: {methods}; draw with method={methods}")
    return tuple(lines)


def figure_command(plan: Plan, settings: FigureSettings) -> str:
    """The command that draws this figure, and others of its kind where the study is not alone."""
    setting = plan.study.setting
    words = [f"figure={plan.kind}", f"dataset={setting.dataset}", f"model={setting.model}"]
    words += [f"scope={scope}" for scope in plan.scopes if len(plan.scopes) == 1]
    words += [*settings.words(AS_GIVEN), *(f"plot.{word}" for word in settings.plot_words)]
    return command("src.figures", words)


def _contents(study: Study) -> list[str]:
    methods: dict[str, set[str]] = {}
    for run in study.all_runs:
        methods.setdefault(run.scope, set()).add(run.method.short)
    return [f"{study.setting.text}, {scope}: {', '.join(sorted(found))}" for scope, found in sorted(methods.items())]


def _command(request: Request, settings: FigureSettings) -> str:
    words = [f"{key}={','.join(values)}" for key in ("dataset", "model") if (values := getattr(request, key))]
    words += [*settings.words(("trainer", "protocol")), *_sweep(request.kind)]
    scopes = SCOPES if request.kind in ACROSS_SCOPES else request.filter.scopes
    if len(scopes) < len(SCOPES) or request.kind in ACROSS_SCOPES:
        words.append(f"prune.scope={','.join(scopes)}")
    words.append(f"seed={','.join(settings.seed or ('0', '1', '2', '3'))}")
    return command("src.main", [*words, *output_words(settings.output_dir), "-m"])


def _sweep(kind: str) -> list[str]:
    if kind not in ABLATIONS:
        return [FOUR]
    sweep = ABLATIONS[kind]
    values = ",".join(f"{value:g}" for value in sweep.values)
    return [f"prune={'sap_1_2' if sweep.parameter == 'q' else 'sap'}", f"prune.{sweep.parameter}={values}"]
