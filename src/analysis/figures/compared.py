"""Figures that compare what the paper does not: methods with one part changed, and trainings of other lengths.

`controls`: each method beside the same with another score, measure or rewinding, against the weights left.
`length`: the PQ Index along pruning, of studies that differ in the length of the trainings alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from src.analysis.figures.kinds import scopes_of, zoomed
from src.analysis.figures.plan import CAPTIONS, METHOD_SERIES, Filter, Line, Plan, Series, figure, lines_of, panel
from src.analysis.figures.readings import Reading, accuracy, pqi
from src.analysis.figures.spec import LABELS, CurvePanel, FigureSpec
from src.records.study import Study, but_for

AS_PUBLISHED = "as in the paper"
OF_CONTROLS = ("rank-1", "rank-2", "rank-3", "rank-4", "other-1", "extra", "other-7")
"""Slots in a style, as different as it has them."""
OF_LENGTHS = ("rank-0", *OF_CONTROLS)


def controls(kind: str, study: Study, chosen: Filter) -> list[Plan]:
    """`controls`: one figure per scope in which a method was run with one of its parts changed."""
    found = []
    for scope in scopes_of(study, chosen.scopes):
        families = {base: family for base in METHOD_SERIES if (family := _family(base, study, scope, chosen))}
        if families:
            series = tuple(s for base, family in families.items() for s in (base, *family))
            build = partial(_controls, kind, study, scope, families)
            found.append(Plan(kind, study, (scope,), series, build))
    return found


def _family(base: Series, study: Study, scope: str, chosen: Filter) -> tuple[Series, ...]:
    """The method's controls: their short names begin with its own."""
    same = [m for m in study.methods(scope) if m.short.startswith(f"{base.method.short}-")]
    return chosen.of(Series(m, m.label.removeprefix(f"{base.label}, "), "", guest=True) for m in same)


def _controls(
    kind: str, study: Study, scope: str, families: dict[Series, tuple[Series, ...]], reading: Reading
) -> FigureSpec:
    """A row for each method: accuracies, the same enlarged, PQ Indices; a control has the same line in every panel."""
    labels = sorted({s.label for family in families.values() for s in family})
    slots = {label: OF_CONTROLS[i % len(OF_CONTROLS)] for i, label in enumerate(labels)}
    accuracies: list[CurvePanel] = []
    indices: list[CurvePanel] = []
    for base, family in families.items():
        named = [replace(base, label=AS_PUBLISHED, slot="base"), *(replace(s, slot=slots[s.label]) for s in family)]
        lines = lines_of(study, scope, named)
        for found, name, value in ((accuracies, "accuracy", accuracy), (indices, "pqi", pqi)):
            of_run = partial(value, side="retrained", reading=reading)
            curves = [line.curve(of_run, reading, line.left) for line in lines]
            made = panel(curves, name, "retrained", scope, reading, title=base.label, spread="x")
            found.append(replace(made, x_label=LABELS["percent_remaining"], quantity=f"{name}_tradeoff"))
    accuracies[0] = replace(accuracies[0], legend="lower right")
    columns = [column for column in (accuracies, zoomed(accuracies), indices) if column]
    panels = [each for row in zip(*columns, strict=True) for each in row]
    return replace(figure(kind, study, panels, scope), columns=len(columns))


def lengths(studies: Sequence[Study], chosen: Filter) -> list[Plan]:
    """`length`: one figure per scope of studies of several lengths, planned as of the longest."""
    found = []
    for alike in but_for(studies, "trainer", ("epochs", "name")):
        by_length = sorted(alike, key=lambda study: study.setting.epochs or 0)
        for scope in dict.fromkeys(map(by_length[-1].scope, chosen.scopes)):
            runs = {s: [study.series(scope, s.method) for study in by_length] for s in chosen.of(METHOD_SERIES)}
            series = tuple(s for s, of_each in runs.items() if sum(map(bool, of_each)) > 1)
            if series:
                build = partial(_lengths, by_length, scope, series)
                found.append(Plan("length", by_length[-1], (scope,), series, build))
    return found


def _lengths(studies: Sequence[Study], scope: str, series: Sequence[Series], reading: Reading) -> FigureSpec:
    panels = [_length(studies, scope, s, reading) for s in series]
    made = figure("length", studies[-1], panels, scope, caption=CAPTIONS["length"])
    return replace(made, title=made.title.rpartition(" (")[0])  # the legend says how long, and of how many seeds


def _length(studies: Sequence[Study], scope: str, series: Series, reading: Reading) -> CurvePanel:
    curves = []
    epochs = Counter(study.setting.epochs for study in studies)
    for rank, study in enumerate(studies):
        if runs := study.series(scope, series.method):
            trainer = f", {study.setting.trainer}" if epochs[study.setting.epochs] > 1 else ""
            text = f"E={study.setting.epochs}{trainer}"
            line = Line(OF_LENGTHS[rank % len(OF_LENGTHS)], text, text, runs)
            curves.append(line.curve(lambda run: pqi(run, "retrained", reading), reading))
    return panel(curves, "pqi", "retrained", scope, reading, title=series.label)
