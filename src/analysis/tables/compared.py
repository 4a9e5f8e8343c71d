"""The table of what protocol, length of the trainings, method and scope change at equal percentages of the weights."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from src.analysis.claims.tradeoff import gain, of_run, shared
from src.analysis.tables.table import METHOD, SEEDS, WHERE, Cell, Column, Difference, Table, made_table
from src.records.method import LOTTERY_TICKET, Method
from src.records.objective import PERCENTAGES
from src.records.run import Run
from src.records.study import Setting, Study, but_for

AT = {Column(f"at_{x:g}", f"at {x:g} %", "+.2f"): x for x in (100.0, *PERCENTAGES)}
COLUMNS = (
    *WHERE[:2], Column("change", "Change"), WHERE[3], METHOD, SEEDS, *AT,
    Column("mean", "Mean", "+.2f"), Column("down_to", "down to (%)", ".2g"),
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
            rows.append((*where, len(seeds), *cells, mean, down_to))
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
        for where, scope, method in _against_the_lottery_ticket(study):
            usual = f"{LOTTERY_TICKET.text}{f', {where}' * (where != scope)}"
            runs = study.series(where, LOTTERY_TICKET), study.series(scope, method)
            yield f"against {usual}{length}{protocol}{other}", study.setting, scope, method, *runs


def _against_the_lottery_ticket(study: Study) -> Iterator[tuple[str, str, Method]]:
    """The lottery ticket's scope, and what is compared with it: other methods in it, and all in others with global."""
    for scope in study.scopes:
        for where in dict.fromkeys((scope, "global")):
            for method in study.methods(scope):
                if (where, method) != (scope, LOTTERY_TICKET) and not method.leaves_layers_out:
                    yield where, scope, method


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
