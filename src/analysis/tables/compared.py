"""The table of what protocol, length of the trainings, method and scope change at equal percentages of the weights."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, product

import numpy as np

from src.analysis.claims.tradeoff import gain, of_run, shared
from src.analysis.tables.table import METHOD, SEEDS, WHERE, Cell, Column, Difference, Table, made_table
from src.records.method import CLASSES, LOTTERY_TICKET, SAP, SAP_1_2, Method
from src.records.objective import PERCENTAGES
from src.records.run import Run
from src.records.study import Setting, Study, but_for

AT = {Column(f"at_{x:g}", f"at {x:g} %", "+.2f"): x for x in (100.0, *PERCENTAGES)}
COLUMNS = (
    *WHERE[:2], Column("change", "Change"), WHERE[3], METHOD, SEEDS,
    Column("mean", "Mean", "+.2f"), Column("down_to", "down to (%)", ".2g"), *AT,
)  # fmt: skip


def compared(studies: Sequence[Study]) -> Table | None:
    """What protocol, length, method and scope change at equal percentages, all else the same; None without any."""
    rows: list[tuple[Cell, ...]] = []
    for said, setting, scope, method, before, after in _changes(studies):
        one, two = ({run.seed: of_run(run) for run in series} for series in (before, after))
        if seeds := sorted(one.keys() & two.keys()):
            pairs = [(two[seed], one[seed]) for seed in seeds]
            cells = [Difference.of([float(new.at(x) - old.at(x)) for new, old in pairs]) for x in AT.values()]
            mean = Difference.of([gain(*pair) for pair in pairs])
            down_to = float(10 ** np.mean([shared(*pair) for pair in pairs])) if mean else None
            where = setting.dataset, setting.model, said, scope, method.text
            rows.append((*where, len(seeds), mean, down_to, *cells))
    return made_table("compared", COLUMNS, rows) if rows else None


Change = tuple[str, Setting, str, Method, tuple[Run, ...], tuple[Run, ...]]
"""What is changed, in which setting, scope and method, and the runs before and after it."""


def _changes(studies: Sequence[Study]) -> Iterator[Change]:
    for said, before, after in _pairs(studies):
        for scope in after.scopes:
            for method in after.methods(scope):
                yield said, after.setting, scope, method, before.series(scope, method), after.series(scope, method)
    for study in studies:
        length = f", E={study.setting.epochs}" if study.setting.epochs else ""
        protocol = "" if study.setting.protocol == "reference" else f", {study.setting.protocol}"
        other = "".join(f", {each}" for each in study.apart if not each.startswith("protocol"))
        for usual, where, method, scope in _within(study):
            runs = study.series(where, usual), study.series(scope, method)
            said = f"against {usual.text}{f', {where}' * (where != scope)}{length}{protocol}{other}"
            yield said, study.setting, scope, method, *runs


def _within(study: Study) -> Iterator[tuple[Method, str, Method, str]]:
    """A usual method and its scope, and what is compared with it, and its scope.

    With the lottery ticket all other methods, and all in other scopes with global; with SAP kinds the paper has not.
    """
    for scope in study.scopes:
        methods = [method for method in study.methods(scope) if not method.leaves_layers_out]
        for where in dict.fromkeys((scope, "global")):
            for method in methods:
                if (where, method) != (scope, LOTTERY_TICKET):
                    yield LOTTERY_TICKET, where, method, scope
        for sap, method in product((SAP, SAP_1_2), methods):
            if method.kind not in CLASSES:
                yield sap, scope, method, scope


def _pairs(studies: Sequence[Study]) -> Iterator[tuple[str, Study, Study]]:
    """Of protocols each against `reference`, or the first; of lengths each against the next shorter one."""
    for group in but_for(studies, "protocol"):
        ordered = sorted(group, key=lambda study: (study.setting.protocol != "reference", study.name))
        for other in ordered[1:]:
            length = f"E={other.setting.epochs}, " if other.setting.epochs else ""
            yield f"{length}{ordered[0].setting.protocol} → {other.setting.protocol}", ordered[0], other
    for group in but_for(studies, "trainer", ("epochs", "name")):
        for short, long in pairwise(sorted(group, key=lambda study: study.setting.epochs or 0)):
            if short.setting.epochs == long.setting.epochs:
                continue
            protocol = "" if long.setting.protocol == "reference" else f"{long.setting.protocol}, "
            yield f"{protocol}E={short.setting.epochs} → {long.setting.epochs}", short, long
