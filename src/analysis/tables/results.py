"""The tables: accuracy, compression, cost, accuracy at equal sparsity, and the claims' verdicts."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from src.analysis.claims.catalogue import CLAIMS
from src.analysis.claims.finding import Finding
from src.analysis.claims.tradeoff import accuracy_at, mean_over, of_run
from src.analysis.tables.cost import Network, network
from src.analysis.tables.table import Column, Spread, Table
from src.records.run import Run
from src.records.study import Study

LOSS = 1.0
"""Accuracy that may be lost against the dense network, in points."""
PERCENTAGES = (50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5)
AREAS = (10.0, 1.0)
"""Lower ends, in percent remaining, of the areas under the trade-off."""
WHERE = (Column("dataset", "Data set"), Column("model", "Model"), Column("study", "Study"), Column("scope", "Scope"))
COSTED = (("dense", "Dense"), ("within_loss", f"≤ {LOSS:g} point"), ("final", "At T"))
"""The iterations of which the cost is told."""
Measures = dict[Column, Callable[[Run], float]]
"""What each column shows of a run; NaN where there is nothing."""


def tables(studies: Iterable[Study]) -> list[Table]:
    """All tables of results; a row for each method and scope of a study."""
    subjects = [
        (study, scope, method) for study in studies for scope in study.scopes for method in study.methods(scope)
    ]

    def table(name: str, title: str, note: str, measures: Measures) -> Table:
        rows = []
        for study, scope, method in subjects:
            runs, setting = study.series(scope, method), study.setting
            cells = (Spread.of([value(run) for run in runs]) for value in measures.values())
            rows.append((setting.dataset, setting.model, study.name, scope, method.text, len(runs), *cells))
        columns = (*WHERE, Column("method", "Method"), Column("seeds", "Seeds"), *measures)
        return Table(name, title, note, columns, tuple(rows))

    return [
        table(
            "accuracy", "Accuracy, sparsity and PQ Index",
            "Mean ± standard deviation over seeds of the retrained network. Dense: iteration 0; final, percent remaining "
            "and PQ Index (p=0.5, q=1.0, all weights): iteration T; best: the most accurate iteration.",
            {
                Column("dense_accuracy", "Dense accuracy (%)"): lambda run: run.table["retrained_accuracy"][0],
                Column("final_accuracy", "Final accuracy (%)"): lambda run: run.table["retrained_accuracy"][-1],
                Column("best_accuracy", "Best accuracy (%)"): lambda run: np.nanmax(run.table["retrained_accuracy"]),
                Column("percent_remaining", "Remaining (%)", ".3g"): lambda run: run.table["percent_remaining"][-1],
                Column("pqi", "PQ Index", ".3f"): lambda run: run.table["retrained_pqi"][-1],
            },
        ),
        table(
            "compression", f"Compression at ≤ {LOSS:g} point loss",
            f"The sparsest iteration, in each seed, that loses at most {LOSS:g} point against the seed's dense network.",
            {
                Column("iteration", "Iteration", ".1f"): within_loss,
                Column("accuracy", "Accuracy (%)"): lambda run: run.table["retrained_accuracy"][within_loss(run)],
                Column("percent_remaining", "Remaining (%)", ".3g"): _left,
                Column("compression", "Compression (×)", ".3g"): lambda run: 100 / _left(run),
            },
        ),
        table(
            "cost", "Sparse FLOPs and size on disk",
            "FLOPs of one image: a multiplication and an addition per use of a weight that is alive, in convolutions and "
            "linear layers. Size: float32, each tensor dense, with a bitmap or with 4-byte places, whichever is smallest; "
            f"biases and BatchNorm dense. Dense network, sparsest at ≤ {LOSS:g} point loss, and iteration T.",
            {
                Column(f"{when}_{unit.lower()}", f"{label} ({unit})", ",.2f"): partial(_cost, measure, scale, when)
                for unit, measure, scale in (("kFLOPs", Network.flops, 1e3), ("KiB", Network.size_bytes, 1024.0))
                for when, label in COSTED
            },
        ),
        table(
            "equal_sparsity", "Accuracy at equal percent remaining",
            "Accuracy in percent of the retrained network where so many weights are left, linear between iterations in "
            "their logarithm; and its mean over the logarithm, the area under the trade-off curve. Empty where a seed "
            "does not get there.",
            {
                **{Column(f"accuracy_at_{x:g}", f"at {x:g} %"): partial(_accuracy_at, x) for x in PERCENTAGES},
                **{Column(f"area_100_to_{x:g}", f"Mean, 100 to {x:g} %"): partial(_area, x) for x in AREAS},
            },
        ),
    ]  # fmt: skip


def within_loss(run: Run) -> int:
    """The iteration with the fewest weights whose accuracy is at most LOSS below that of the dense network."""
    accuracy, percent = run.table["retrained_accuracy"], run.table["percent_remaining"]
    return int(np.where(accuracy >= accuracy[0] - LOSS, percent, np.inf).argmin())


def _left(run: Run) -> float:
    return float(run.table["percent_remaining"][within_loss(run)])


def _cost(measure: Callable[..., float], scale: float, when: str, run: Run) -> float:
    net = _network(run)
    t = {"dense": 0, "within_loss": within_loss(run), "final": -1}[when]
    return measure(net, run.layers["remaining"][t]) / scale if net else np.nan


def _network(run: Run) -> Network | None:
    return network(run.dataset, run.model, tuple(int(size) for size in run.layers["total"][0]))


def _accuracy_at(percent: float, run: Run) -> float:
    return float(accuracy_at(of_run(run), np.array(percent)))


def _area(percent: float, run: Run) -> float:
    curve, low = of_run(run), np.log10(percent)
    return mean_over(curve, low) if curve.sparsest <= low else np.nan


def verdict_table(findings: Iterable[Finding]) -> Table:
    """A row for each finding."""
    columns = (
        Column("claim", "Claim", long=True), Column("source", "In the paper"), *WHERE, Column("subject", "Subject"),
        Column("verdict", "Verdict"), Column("seeds", "Seeds"), Column("evidence", "Evidence", long=True),
        Column("effects", "Effects [95 % interval]", long=True), Column("reason", "Why", long=True),
    )  # fmt: skip
    claims = {claim.name: claim for claim in CLAIMS}
    rows = tuple(
        (
            claims[f.claim].statement, claims[f.claim].source, f.setting.dataset, f.setting.model, f.study, f.scope,
            f.subject, f.verdict.value, len(f.seeds), f.evidence, "; ".join(map(str, f.effects)), f.reason,
        )
        for f in findings
    )  # fmt: skip
    note = "Tests, one per claim:\n" + "\n".join(f"- {claim.statement} {claim.test}" for claim in CLAIMS)
    return Table("claims", "The paper's claims on these records", note, columns, rows)
