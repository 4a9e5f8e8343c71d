"""The tables: accuracy, compression, cost, accuracy at equal sparsity, what other settings change, claims' verdicts.

Cost: floating point operations of one image, and bytes on disk.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np

from src.analysis.claims import CLAIMS
from src.analysis.claims.finding import Finding
from src.analysis.claims.phases import given_back
from src.analysis.claims.tradeoff import gain, mean_to, of_run, shared
from src.analysis.tables.table import Column, Difference, Spread, Table, made_table
from src.models.model import Model
from src.records.method import LOTTERY_TICKET, Method
from src.records.objective import LOST, PERCENTAGES, Tradeoff, sparsest_good
from src.records.run import FloatArray, Run
from src.records.study import Setting, Study, but_for

AREAS = (10.0, 1.0)
"""Lower ends, in percent remaining, of the areas under the trade-off."""
SEEDS = Column("seeds", "Seeds")
WHERE = (Column("dataset", "Data set"), Column("model", "Model"), Column("study", "Study"), Column("scope", "Scope"))
IMAGES = {
    "fashion_mnist": ((1, 28, 28), 10), "mnist": ((1, 28, 28), 10), "cifar10": ((3, 32, 32), 10),
    "cifar100": ((3, 32, 32), 100), "svhn": ((3, 32, 32), 10), "tiny_imagenet": ((3, 64, 64), 200),
    "digits": ((1, 8, 8), 10),
}  # fmt: skip
"""Shape of an image and number of classes (PROTOCOL 3.2)."""
VALUE, INDEX = 4, 4
"""Bytes of a weight, and of its place where it is stored by place."""
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
        columns = [*WHERE, Column("method", "Method"), SEEDS, *measures]
        made.append(made_table(name, columns, rows, with_excluded if name in OF_PERCENTAGES else (), loss=LOST))
    return made


def compared(studies: Sequence[Study]) -> Table | None:
    """What protocol, length, method and scope change at equal percentages, all else the same; None without any."""
    at = {Column(f"at_{x:g}", f"at {x:g} %", "+.2f"): partial(_at, Tradeoff.at, x) for x in (100.0, *PERCENTAGES)}
    over_all = Column("mean", "Mean", "+.2f"), Column("down_to", "down to (%)", ".2g")
    rows = []
    for said, setting, scope, method, *runs in _changes(studies):
        one, two = ({run.seed: run for run in series} for series in runs)
        if common := sorted(one.keys() & two.keys()):
            cells = [Difference.of([value(two[s]) - value(one[s]) for s in common]) for value in at.values()]
            curves = [(of_run(two[s]), of_run(one[s])) for s in common]
            mean = Difference.of([gain(*pair) for pair in curves])
            down_to = float(10 ** np.mean([shared(*pair) for pair in curves])) if mean else None
            where = setting.dataset, setting.model, said, scope, method.text
            rows.append((*where, len(common), *cells, mean, down_to))
    columns = (*WHERE[:2], Column("change", "Change"), WHERE[3], Column("method", "Method"), SEEDS, *at, *over_all)
    return made_table("compared", columns, rows) if rows else None


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


def within_loss(run: Run) -> int:
    """The iteration of the sparsest good network, which the run keeps."""
    return sparsest_good(run.table["retrained_accuracy"].tolist())


@dataclass(frozen=True)
class Network:
    """Prunable tensors in registration order: sizes [L], and how often each weight is used for one image [L].

    others: number of values that are not pruned, of biases, BatchNorm and its running statistics.
    """

    sizes: FloatArray
    uses: FloatArray
    others: int

    def flops(self, alive: FloatArray) -> float:
        """A multiplication and an addition for each use of each weight alive [L]; other operations are left out."""
        return float(2 * (alive * self.uses).sum())

    def size_bytes(self, alive: FloatArray) -> float:
        """float32 values, each tensor in the smallest of three forms: dense, values and a bitmap, values and places."""
        forms = [VALUE * self.sizes, VALUE * alive + np.ceil(self.sizes / 8), (VALUE + INDEX) * alive]
        return float(np.min(forms, axis=0).sum() + VALUE * self.others)


@cache
def network(dataset: str, model: str, sizes: tuple[int, ...]) -> Network | None:
    """The network of a record, whose prunable tensors have these sizes; None where it is not one of ours."""
    from src.models.shipped import MODELS

    if dataset not in IMAGES or model not in MODELS:
        return None
    count = _counted if model in ("linear", "mlp") else _measured
    made = count(MODELS[model], *IMAGES[dataset])
    return made if tuple(made.sizes.astype(int)) == sizes else None


def _counted(model: Model, shape: tuple[int, int, int], classes: int) -> Network:
    """As `_measured`, of linear layers alone, without PyTorch: importing it is a fourth of a report of 300 runs."""
    widths = [math.prod(shape), *getattr(model, "hidden", ()), classes]
    sizes = np.array([a * b for a, b in pairwise(widths)], np.float64)
    return Network(sizes, np.ones_like(sizes), sum(widths[1:]))


def _measured(model: Model, shape: tuple[int, int, int], classes: int) -> Network:
    """Build the model and send one blank image through it."""
    import torch

    from src.library.masks import Masks
    from src.models.model import build_model, prunable_names

    built = build_model(model, shape, classes, seed=0).eval()
    names, state = prunable_names(built), built.state_dict()
    uses = Masks({name: state[name] != 0 for name in names}).uses(built, torch.zeros(1, *shape))
    others = sum(v.numel() for key, v in state.items() if key not in names and v.is_floating_point())
    sizes = np.array([state[name].numel() for name in names], np.float64)
    return Network(sizes, np.array([float(times.double().mean()) for times in uses.values()]), others)


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


def _at(value: Callable[[Tradeoff, float], Any], percent: float, run: Run) -> float:
    return float(value(of_run(run), percent))


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
        **{Column(f"accuracy_at_{x:g}", f"at {x:g} %", best="max"): partial(_at, Tradeoff.at, x) for x in PERCENTAGES},
        **{Column(f"area_100_to_{x:g}", f"Mean, 100 to {x:g} %", best="max"): partial(_at, mean_to, x) for x in AREAS},
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
