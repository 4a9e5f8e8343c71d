"""Does the length of the trainings matter? The PQ Index along pruning, of studies that differ in it alone."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from src.analysis.figures.plan import CAPTIONS, METHOD_SERIES, Filter, Line, Plan, Series, figure, panel
from src.analysis.figures.readings import Reading, pqi
from src.analysis.figures.spec import CurvePanel, FigureSpec
from src.records.study import Study, grouped

KIND = "length"


def plans(studies: Sequence[Study], chosen: Filter) -> list[Plan]:
    """One figure per scope of studies of several lengths, planned as of the longest."""
    found = []
    for alike in grouped(studies, _but_for_length).values():
        by_length = sorted(alike, key=lambda study: study.setting.epochs or 0)
        for scope in dict.fromkeys(map(by_length[-1].scope, chosen.scopes)):
            series = tuple(s for s in chosen.of(METHOD_SERIES) if len(_with(by_length, scope, s)) > 1)
            if series:
                build = partial(_build, by_length, scope, series)
                found.append(Plan(KIND, by_length[-1], (scope,), series, build))
    return found


def _but_for_length(study: Study) -> str:
    detail = json.loads(study.setting.detail)
    trainer = {key: value for key, value in detail["trainer"].items() if key not in ("epochs", "name")}
    return json.dumps([study.setting.iterations, detail | {"trainer": trainer}], sort_keys=True)


def _with(studies: Sequence[Study], scope: str, series: Series) -> list[Study]:
    return [study for study in studies if study.series(scope, series.method)]


def _build(studies: Sequence[Study], scope: str, series: Sequence[Series], reading: Reading) -> FigureSpec:
    panels = [_panel(studies, scope, s, reading) for s in series]
    made = figure(KIND, studies[-1], panels, scope, caption=CAPTIONS[KIND])
    return replace(made, title=made.title.rpartition(" (")[0])  # the legend says how long, and how many seeds


def _panel(studies: Sequence[Study], scope: str, series: Series, reading: Reading) -> CurvePanel:
    curves = []
    for rank, study in enumerate(studies):
        if runs := study.series(scope, series.method):
            text = f"E={study.setting.epochs}, {len(runs)} seed{'s' * (len(runs) != 1)}"
            line = Line(f"rank-{rank % 5}", text, text, runs)
            curves.append(line.curve(line.mean(lambda run: pqi(run, "retrained", reading), reading)))
    return panel(curves, "pqi", "retrained", scope, reading, title=series.label)
