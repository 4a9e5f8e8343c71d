"""What protocol, length, method and scope change, of records written for it."""

import numpy as np
import pytest

from src.analysis.claims.tradeoff import of_run
from src.analysis.figures.plan import title_of
from src.analysis.tables.compared import compared
from src.analysis.tables.table import Difference
from src.records.library import load_library
from src.records.method import LOTTERY_TICKET, SAP, Method
from src.records.study import studies
from tests.analysis.in_memory import run, study
from tests.analysis.synthetic import FOUR, Spec, write_runs


def test_rows_of_studies_that_differ_in_anything_are_told_apart(tmp_path):
    write_runs(tmp_path, [Spec(m, 0, iterations=t) for m in (FOUR[0], FOUR[2]) for t in (15, 30)])
    table = compared(studies(load_library(tmp_path).runs))
    assert [row[2] for row in table.rows] == [f"against Lottery Ticket (P=0.2), E=200, T={t}" for t in (15, 30)]


def test_curves_are_compared_over_all_percentages_that_both_reach():
    halves = run(0, LOTTERY_TICKET, percent_remaining=[100, 50, 10], retrained_accuracy=[90, 90, 80])
    sap = run(0, SAP, percent_remaining=[100, 1], retrained_accuracy=[92, 82])
    (row,) = compared([study([halves, sap])]).rows
    # Down to 10 % SAP's accuracy falls from 92 to 87, the other's over the second 0.7 of the decade from 90 to 80.
    assert row[6].mean == pytest.approx(89.5 - (90 - 5 * np.log10(5)))
    assert row[7] == pytest.approx(10.0)


def test_methods_that_the_paper_has_not_are_compared_with_sap_too():
    own = Method("own", "own", "Own")
    runs = [run(0, method, percent_remaining=[100, 50]) for method in (SAP, LOTTERY_TICKET, own)]
    ticket, sap = f"against {LOTTERY_TICKET.text}", f"against {SAP.text}"
    rows = compared([study(runs)]).rows
    assert [(row[2], row[4]) for row in rows] == [(ticket, "Own"), (ticket, SAP.text), (sap, "Own")]


def test_other_scopes_are_compared_with_the_lottery_ticket_globally_too(tmp_path):
    write_runs(tmp_path, [Spec(m, scope=scope) for m in (FOUR[0], FOUR[2]) for scope in ("layer", "global")])
    (found,) = studies(load_library(tmp_path).runs)
    rows = compared([found]).rows
    ticket, sap = LOTTERY_TICKET.text, "SAP (p=0.5, q=1.0)"
    assert [row[2:5] for row in rows] == [
        (f"against {ticket}, E=200", "layer", sap),
        (f"against {ticket}, global, E=200", "layer", ticket),
        (f"against {ticket}, global, E=200", "layer", sap),
        (f"against {ticket}, E=200", "global", sap),
    ]
    (layer,), (globally,) = (found.series(scope, LOTTERY_TICKET) for scope in ("layer", "global"))
    assert rows[1][9] == Difference.of([of_run(layer).at(50.0) - of_run(globally).at(50.0)])


def test_studies_that_differ_in_protocol_or_length_alone_are_compared_seed_by_seed(tmp_path):
    others = [(3, "reference"), (20, "reference"), (20, "clean")]
    write_runs(tmp_path, [Spec(FOUR[0], s, epochs=e, protocol=p) for e, p in others for s in range(2)])
    write_runs(tmp_path, [Spec(FOUR[0], 5, epochs=20, protocol="clean"), Spec(FOUR[2], 0, epochs=3)])
    found = studies(load_library(tmp_path).runs)
    assert [study.setting.epochs for study in found] == [20, 3, 20]  # clean before reference, then by length
    assert [title_of(study) for study in found] == [
        "CIFAR-10, CNN, protocol=clean (20 epochs a training, 3 seeds)",
        "CIFAR-10, CNN, protocol=reference (3 epochs a training, 2 seeds)",
        "CIFAR-10, CNN, protocol=reference (20 epochs a training, 2 seeds)",
    ]
    table = compared(found)
    rows = [dict(zip([c.key for c in table.columns], row, strict=True)) for row in table.rows]
    assert [(row["change"], row["method"], row["seeds"]) for row in rows] == [
        ("E=20, reference → clean", "SAP (p=0.5, q=1.0)", 2), ("E=3 → 20", "SAP (p=0.5, q=1.0)", 2),
        ("against Lottery Ticket (P=0.2), E=3", "SAP (p=0.5, q=1.0)", 1),
    ]  # fmt: skip
    clean, _, reference = (study.series("global", study.methods("global")[0]) for study in found)
    each = [b.table["retrained_accuracy"][0] - a.table["retrained_accuracy"][0]
            for a, b in zip(reference, clean[:2], strict=True)]  # fmt: skip
    assert rows[0]["at_100"] == Difference.of(each)
    ours, usual = (
        found[1].series("global", m)[0] for m in sorted(found[1].methods("global"), key=LOTTERY_TICKET.__eq__)
    )
    assert rows[2]["at_50"] == Difference.of([of_run(ours).at(50.0) - of_run(usual).at(50.0)])
    assert compared(found[:1]) is None


def test_a_method_that_leaves_layers_out_is_not_compared(tmp_path):
    partial = FOUR[2] | {"exclude": ["conv1.weight"]}
    write_runs(tmp_path, [Spec(method, seed) for method in (*FOUR[:3], partial) for seed in range(2)])
    assert "without" not in str(compared(studies(load_library(tmp_path).runs)).rows)
