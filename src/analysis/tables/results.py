"""The tables of results, a row for each method and scope of a study, and that of the claims' verdicts."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from src.analysis.claims import CLAIMS
from src.analysis.claims.finding import Finding
from src.analysis.claims.phases import given_back
from src.analysis.claims.tradeoff import mean_to, of_run
from src.analysis.tables.cost import Network, network
from src.analysis.tables.table import METHOD, SEEDS, WHERE, Column, Spread, Table, made_table
from src.records.objective import LOST, PERCENTAGES, sparsest_good
from src.records.run import Run
from src.records.study import Study

AREAS = (10.0, 1.0)
"""Lower ends, in percent remaining, of the areas under the trade-off."""
Measure = Callable[[Run], float]
"""What a column shows of a run; NaN where there is nothing."""


def tables(studies: Iterable[Study]) -> list[Table]:
    """All tables of results; a row for each method and scope of a study."""
    subjects = [(study, scope, m) for study in studies for scope in study.scopes for m in study.methods(scope)]
    with_excluded = [i for i, (*_, method) in enumerate(subjects) if method.leaves_layers_out]
    made = []
    for name, measures in MEASURES.items():
        rows = []
        for study, scope, method in subjects:
            runs, setting = study.series(scope, method), study.setting
            cells = (Spread.of([value(run) for run in runs]) for value in measures.values())
            rows.append((setting.dataset, setting.model, study.name, scope, method.text, len(runs), *cells))
        columns = [*WHERE, METHOD, SEEDS, *measures]
        made.append(made_table(name, columns, rows, with_excluded if name in OF_PERCENTAGES else (), loss=LOST))
    return made


def within_loss(run: Run) -> int:
    """The iteration of the sparsest good network, which the run keeps."""
    return sparsest_good(run.table["retrained_accuracy"].tolist())


def _of(column: str, at: Callable[[Run], int] | int, run: Run) -> float:
    return float(run.table[column][at if isinstance(at, int) else at(run)])


def _cost(measure: Callable[..., float], scale: float, at: Callable[[Run], int] | int, run: Run) -> float:
    net = _network(run)
    return measure(net, run.layers["remaining"][at if isinstance(at, int) else at(run)]) / scale if net else np.nan


def _network(run: Run) -> Network | None:
    return network(run.dataset, run.model, tuple(int(size) for size in run.layers["total"][0]))


def _given_back(prunings: int, run: Run) -> float:
    return given_back(run.method, run.table["retrained_pqi"], run.table["pruned_pqi"], prunings)


def _compression(run: Run) -> float:
    left = _of(_LEFT, within_loss, run)
    return 100 / left if left else np.nan


def _accuracy_at(percent: float, run: Run) -> float:
    return float(of_run(run).at(percent))


def _mean_to(percent: float, run: Run) -> float:
    return mean_to(of_run(run), percent)


_ACCURACY, _LEFT = "retrained_accuracy", "percent_remaining"
OF_PERCENTAGES = ("compression", "equal_sparsity")
"""Tables that compare what is left of the weights that may be pruned: methods that leave layers out stand alone."""
MEASURES: dict[str, dict[Column, Measure]] = {
    "accuracy": {
        Column("dense_accuracy", "Dense accuracy (%)"): partial(_of, _ACCURACY, 0),
        Column("final_accuracy", "Final accuracy (%)"): partial(_of, _ACCURACY, -1),
        Column("best_accuracy", "Best accuracy (%)", best="max"): lambda run: float(np.nanmax(run.table[_ACCURACY])),
        Column("percent_remaining", "Remaining (%)", "#.3g"): partial(_of, _LEFT, -1),
        Column("pqi", "PQ Index", ".3f"): partial(_of, "retrained_pqi", -1),
    },
    "compression": {
        Column("iteration", "Iteration", ".3g"): within_loss,
        Column("accuracy", "Accuracy (%)"): partial(_of, _ACCURACY, within_loss),
        Column("percent_remaining", "Remaining (%)", "#.3g", best="min"): partial(_of, _LEFT, within_loss),
        Column("compression", "Compression (×)", "#.3g", best="max"): _compression,
    },
    "cost": {
        Column(f"{when}_{unit.lower()}", f"{label} ({unit})", ",.2f", best="min" * (when == "within_loss")):
            partial(_cost, measure, scale, at)
        for unit, measure, scale in (("kFLOPs", Network.flops, 1e3), ("KiB", Network.size_bytes, 1024.0))
        for when, label, at in (
            ("dense", "Dense", 0), ("within_loss", f"≤ {LOST:g} point", within_loss), ("final", "At T", -1),
        )
    },
    "equal_sparsity": {
        **{Column(f"accuracy_at_{x:g}", f"at {x:g} %", best="max"): partial(_accuracy_at, x) for x in PERCENTAGES},
        **{Column(f"area_100_to_{x:g}", f"Mean, 100 to {x:g} %", best="max"): partial(_mean_to, x) for x in AREAS},
    },
    "given_back": {
        Column("dense", "Dense", ".3f"): partial(_of, "retrained_pqi", 0),
        Column("pruned", "pruned once", ".3f"): partial(_of, "pruned_pqi", 0),
        Column("retrained", "and trained", ".3f"): lambda run: _of("retrained_pqi", min(1, run.iterations), run),
        **{
            Column(f"given_back_{n}", f"Given back, {said} (%)", ".0f"): partial(_given_back, n)
            for n, said in ((1, "first pruning"), (10, "first ten"))
        },
    },
}  # fmt: skip
"""The columns of each table."""


def verdict_table(findings: Iterable[Finding]) -> Table:
    columns = (
        Column("claim", "Claim", long=True), Column("source", "In the paper"), *WHERE, Column("subject", "Subject"),
        Column("verdict", "Verdict"), SEEDS, Column("evidence", "Evidence", long=True),
        Column("effects", "Effects [95 % interval]", long=True),
        Column("reason", "Why", long=True),
    )  # fmt: skip
    claims = {claim.name: claim for claim in CLAIMS}
    rows = [
        (
            claims[f.claim].statement, claims[f.claim].source, f.setting.dataset, f.setting.model, f.study, f.scope,
            f.subject, f.verdict.value, len(f.seeds), f.evidence, "; ".join(map(str, f.effects)), f.reason,
        )
        for f in findings
    ]  # fmt: skip
    tests = "\n".join(f"- {claim.statement} {claim.test}" for claim in CLAIMS)
    return made_table("claims", columns, rows, tests=tests)
