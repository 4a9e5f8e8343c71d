"""What to tell a user who asks for figures that there are no records of, or has records that no figure shows."""

from collections.abc import Iterable, Sequence

from src.figures.catalogue import Request
from src.figures.plan import Plan
from src.figures.records import Study
from src.figures.series import ABLATIONS
from src.figures.settings import FigureSettings

ACROSS_SCOPES = ("ratio", "layer", "si_layer", "errors")
FOUR = "prune=sap,sap_1_2,lottery_ticket,one_shot"
AS_GIVEN = ("method", "trainer", "protocol", "experiment", "seed", "reading", "style", "overlay", "incomplete",
            "output_dir")  # fmt: skip
RECORDS = ("dataset", "model", "scope", "method", "trainer", "protocol", "experiment", "seed")


def nothing_to_draw(empty: Sequence[Request], settings: FigureSettings, grouped: Iterable[Study]) -> str:
    """Message: what was asked for, what there is, and the commands that make what is not there."""
    kinds = ",".join(request.kind for request in empty)
    asked = ", ".join(f"{key}={value}" for key in RECORDS if (value := getattr(settings, key)) is not None)
    commands = "".join(f"\n  {command}" for command in dict.fromkeys(_command(request, settings) for request in empty))
    there = "".join(f"\n  {text}" for study in grouped for text in _contents(study))
    return (
        f"no records for figure={kinds}{f' with {asked}' if asked else ''}; make them with{commands}\n"
        f"or choose among the records that there are:{there}"
    )


def in_no_figure(grouped: Iterable[Study], plans: Sequence[Plan]) -> tuple[str, ...]:
    """A line for each study with methods that none of the plans shows."""
    shown = {(plan.study.name, scope, method.key) for plan in plans for scope, method in plan.wants}
    lines = []
    for study in grouped:
        keys = {run.method.key for run in study.runs if (study.name, run.scope, run.method.key) not in shown}
        if keys:
            methods = ",".join(sorted(keys))
            lines.append(f"{study.setting.text}: not in the paper's figures: {methods}; draw with method={methods}")
    return tuple(lines)


def figure_command(plan: Plan, settings: FigureSettings) -> str:
    """The command that draws this figure, and others of its kind where the study is not alone."""
    setting = plan.study.setting
    scopes = {scope for scope, _ in plan.wants}
    words = [f"figure={plan.kind}", f"dataset={setting.dataset}", f"model={setting.model}"]
    words += [f"scope={scope}" for scope in scopes if len(scopes) == 1]
    given = {key: getattr(settings, key) for key in AS_GIVEN}
    words += [f"{key}={value}" for key, value in given.items() if value != getattr(FigureSettings, key)]
    words += [f"plot.{key}={value}" for key, value in vars(settings.plot).items() if value is not None]
    return " ".join(["python -m src.figures", *(word.replace("=True", "=true") for word in words)])


def _contents(study: Study) -> list[str]:
    runs = (*study.runs, *study.unfinished)
    scopes = sorted({run.scope for run in runs})
    return [
        f"{study.setting.text}, {scope}: {', '.join(sorted({run.method.key for run in runs if run.scope == scope}))}"
        for scope in scopes
    ]


def _command(request: Request, settings: FigureSettings) -> str:
    words = [f"{key}={','.join(values)}" for key in ("dataset", "model") if (values := getattr(request, key))]
    words += [f"{key}={value}" for key in ("trainer", "protocol") if (value := getattr(settings, key))]
    words += _sweep(request.kind)
    scopes = ("neuron", "layer", "global") if request.kind in ACROSS_SCOPES else request.filter.scopes
    words.append(f"prune.scope={','.join(scopes)}" if len(scopes) < 3 or request.kind in ACROSS_SCOPES else "")
    words.append(f"seed={settings.seed or '0,1,2,3'}")
    return " ".join(["python -m src.main", *filter(None, words), "-m"])


def _sweep(kind: str) -> list[str]:
    if kind not in ABLATIONS:
        return [FOUR]
    sweep = ABLATIONS[kind]
    values = ",".join(f"{value:g}" for value in sweep.values)
    base = "sap_1_2" if sweep.parameter == "q" else "sap"
    return [f"prune={base}", f"prune.{sweep.parameter}={values}"]
