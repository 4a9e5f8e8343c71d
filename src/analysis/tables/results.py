"""The tables: accuracy, compression, cost, accuracy at equal sparsity, and the claims' verdicts."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from src.analysis.claims.catalogue import CLAIMS
from src.analysis.claims.finding import Finding
from src.analysis.claims.tradeoff import accuracy_at, mean_over, of_run
from src.analysis.tables.cost import Network, network
from src.analysis.tables.table import Cell, Column, Spread, Table
from src.records.method import Method
from src.records.run import Run
from src.records.study import Study

LOSS = 1.0
"""Accuracy that may be lost against the dense network, in points."""
PERCENTAGES = (50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5)
AREAS = (10.0, 1.0)
"""Lower ends, in percent remaining, of the areas under the trade-off."""
WHAT = (
    Column("dataset", "Data set"),
    Column("model", "Model"),
    Column("study", "Study"),
    Column("scope", "Scope"),
    Column("method", "Method"),
    Column("seeds", "Seeds"),
)
VERDICT_COLUMNS = (
    Column("claim", "Claim", long=True),
    Column("source", "In the paper"),
    Column("dataset", "Data set"),
    Column("model", "Model"),
    Column("study", "Study"),
    Column("scope", "Scope"),
    Column("subject", "Subject"),
    Column("verdict", "Verdict"),
    Column("seeds", "Seeds"),
    Column("evidence", "Evidence", long=True),
    Column("effects", "Effects [95 % interval]", long=True),
    Column("reason", "Why", long=True),
)

Subject = tuple[Study, str, Method, tuple[Run, ...]]


def tables(studies: Iterable[Study]) -> list[Table]:
    """All tables of results; a row for each method and scope of a study."""
    subjects = [
        (study, scope, method, study.series(scope, method))
        for study in studies
        for scope in study.scopes
        for method in study.methods(scope)
    ]
    return [_accuracy(subjects), _compression(subjects), _cost(subjects), _equal_sparsity(subjects)]


def within_loss(run: Run) -> int:
    """The iteration with the fewest weights whose accuracy is at most LOSS below that of the dense network."""
    accuracy, percent = run.table["retrained_accuracy"], run.table["percent_remaining"]
    return int(np.where(accuracy >= accuracy[0] - LOSS, percent, np.inf).argmin())


def _accuracy(subjects: Sequence[Subject]) -> Table:
    columns = (
        Column("dense_accuracy", "Dense accuracy (%)"),
        Column("final_accuracy", "Final accuracy (%)"),
        Column("best_accuracy", "Best accuracy (%)"),
        Column("percent_remaining", "Remaining (%)", ".3g"),
        Column("pqi", "PQ Index", ".3f"),
    )

    def cells(runs: Sequence[Run]) -> Iterator[Cell]:
        accuracies = [run.table["retrained_accuracy"] for run in runs]
        yield Spread.of([values[0] for values in accuracies])
        yield Spread.of([values[-1] for values in accuracies])
        yield Spread.of([np.nanmax(values) for values in accuracies])
        yield Spread.of([run.table["percent_remaining"][-1] for run in runs])
        yield Spread.of([run.table["retrained_pqi"][-1] for run in runs])

    note = (
        "Mean ± standard deviation over seeds of the retrained network. Dense: iteration 0; final, percent remaining "
        "and PQ Index (p=0.5, q=1.0, all weights): iteration T; best: the most accurate iteration."
    )
    rows = tuple((*_what(subject), *cells(subject[3])) for subject in subjects)
    return Table("accuracy", "Accuracy, sparsity and PQ Index", note, (*WHAT, *columns), rows)


def _compression(subjects: Sequence[Subject]) -> Table:
    columns = (
        Column("iteration", "Iteration", ".1f"),
        Column("accuracy", "Accuracy (%)"),
        Column("percent_remaining", "Remaining (%)", ".3g"),
        Column("compression", "Compression (×)", ".3g"),
    )

    def cells(runs: Sequence[Run]) -> Iterator[Cell]:
        sparsest = [within_loss(run) for run in runs]
        percent = np.array([run.table["percent_remaining"][t] for run, t in zip(runs, sparsest, strict=True)])
        yield Spread.of(np.array(sparsest, np.float64))
        yield Spread.of([run.table["retrained_accuracy"][t] for run, t in zip(runs, sparsest, strict=True)])
        yield Spread.of(percent)
        yield Spread.of(100 / percent)

    note = f"The sparsest iteration, in each seed, that loses at most {LOSS:g} point against the seed's dense network."
    rows = tuple((*_what(subject), *cells(subject[3])) for subject in subjects)
    return Table("compression", f"Compression at ≤ {LOSS:g} point loss", note, (*WHAT, *columns), rows)


def _cost(subjects: Sequence[Subject]) -> Table:
    columns = (
        Column("dense_kflops", "Dense (kFLOPs)", ",.2f"),
        Column("within_loss_kflops", f"≤ {LOSS:g} point (kFLOPs)", ",.2f"),
        Column("final_kflops", "At T (kFLOPs)", ",.2f"),
        Column("dense_kib", "Dense (KiB)", ",.2f"),
        Column("within_loss_kib", f"≤ {LOSS:g} point (KiB)", ",.2f"),
        Column("final_kib", "At T (KiB)", ",.2f"),
    )

    def cells(study: Study, runs: Sequence[Run]) -> Iterator[Cell]:
        found = [_network(study, run) for run in runs]
        known = [(run, net, run.layers["remaining"]) for run, net in zip(runs, found, strict=True) if net]
        if len(known) < len(runs):
            yield from [None] * len(columns)
            return
        for measure, scale in ((Network.flops, 1e3), (Network.size_bytes, 1024.0)):
            yield Spread.of([measure(net, alive[0]) / scale for _, net, alive in known])
            yield Spread.of([measure(net, alive[within_loss(run)]) / scale for run, net, alive in known])
            yield Spread.of([measure(net, alive[-1]) / scale for _, net, alive in known])

    note = (
        "FLOPs of one image: a multiplication and an addition per use of a weight that is alive, in convolutions and "
        "linear layers. Size: float32, each tensor dense, with a bitmap or with 4-byte places, whichever is smallest; "
        f"biases and BatchNorm dense. Dense network, sparsest at ≤ {LOSS:g} point loss, and iteration T."
    )
    rows = tuple((*_what(subject), *cells(subject[0], subject[3])) for subject in subjects)
    return Table("cost", "Sparse FLOPs and size on disk", note, (*WHAT, *columns), rows)


def _equal_sparsity(subjects: Sequence[Subject]) -> Table:
    columns = (
        *(Column(f"accuracy_at_{percent:g}", f"at {percent:g} %") for percent in PERCENTAGES),
        *(Column(f"area_100_to_{low:g}", f"Mean, 100 to {low:g} %") for low in AREAS),
    )

    def cells(runs: Sequence[Run]) -> Iterator[Cell]:
        curves = [of_run(run) for run in runs]
        yield from map(Spread.of, np.array([accuracy_at(curve, np.array(PERCENTAGES)) for curve in curves]).T)
        for low in np.log10(AREAS):
            yield Spread.of([mean_over(c, low) if c.sparsest <= low else np.nan for c in curves])

    note = (
        "Accuracy in percent of the retrained network where so many weights are left, linear between iterations in "
        "their logarithm; and its mean over the logarithm, the area under the trade-off curve. Empty where a seed does "
        "not get there."
    )
    rows = tuple((*_what(subject), *cells(subject[3])) for subject in subjects)
    return Table("equal_sparsity", "Accuracy at equal percent remaining", note, (*WHAT, *columns), rows)


def _what(subject: Subject) -> tuple[Cell, ...]:
    study, scope, method, runs = subject
    return study.setting.dataset, study.setting.model, study.name, scope, method.text, len(runs)


def _network(study: Study, run: Run) -> Network | None:
    sizes = tuple(int(size) for size in run.layers["total"][0])
    return network(study.setting.dataset, study.setting.model, sizes)


def verdict_table(findings: Iterable[Finding]) -> Table:
    """A row for each finding."""
    claims = {claim.name: claim for claim in CLAIMS}
    rows = tuple(
        (
            claims[f.claim].statement,
            claims[f.claim].source,
            f.setting.dataset,
            f.setting.model,
            f.study,
            f.scope,
            f.subject,
            f.verdict.value,
            len(f.seeds),
            f.evidence,
            "; ".join(map(str, f.effects)),
            f.reason,
        )
        for f in findings
    )
    note = "Tests, one per claim:\n" + "\n".join(f"- {claim.statement} {claim.test}" for claim in CLAIMS)
    return Table("claims", "The paper's claims on these records", note, VERDICT_COLUMNS, rows)
