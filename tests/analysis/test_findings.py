"""The tables that docs/findings.md shows are those of the committed records, to the digits that are shown."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from src.analysis.claims.finding import Effect, leave_one_out
from src.analysis.claims.phases import bounds, phases, turns
from src.records.packed import read_packed
from src.records.run import FloatArray
from src.records.schema import ITERATIONS_FILE
from tests.support import ROOT

PAPER = ROOT / "outputs" / "paper"
LINEAR, MLP, CIFAR10 = "fashion_mnist-linear", "fashion_mnist-mlp", "cifar10-linear"
NETWORKS = {"linear": LINEAR, "MLP": MLP, "CIFAR-10, linear": CIFAR10, "CIFAR-10, MLP": "cifar10-mlp"}
METHODS = {
    "lottery ticket": ("Lottery Ticket (P=0.2)", "lt-0.2"),
    "rewound to epoch 1": ("Lottery Ticket (P=0.2), rewound to epoch 1", ""),
    "to epoch 2": ("Lottery Ticket (P=0.2), rewound to epoch 2", ""),
    "fine-tuned": ("Lottery Ticket (P=0.2), fine-tuned", ""),
    "fresh start": ("Lottery Ticket (P=0.2), freshly initialised", ""),
    "SAP's amounts from Gini": ("SAP by Gini (p=0.5, q=1.0)", ""),
    "SAP's amounts, weights by chance": ("SAP (p=0.5, q=1.0), random scores", ""),
    "one-shot": ("One Shot (P=0.2)", "os-0.2"),
    "SAP (p=0.5, q=1)": ("SAP (p=0.5, q=1.0)", "sap-0.5-1-0-1"),
    "SAP (p=1, q=2)": ("SAP (p=1.0, q=2.0)", "sap-1-2-0-1"),
}
"""As findings name a method -> as tables and as folders of runs do."""

NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]\d+)?"
Rows = list[list[str]]


def tables() -> list[Rows]:
    """All tables of findings: the head's cells and those of the rows."""
    found: list[Rows] = [[]]
    for line in (ROOT / "docs" / "findings.md").read_text().splitlines():
        if not line.startswith("|"):
            found.append([])
        elif not set(line) <= set("|-: "):
            found[-1].append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return [rows for rows in found if rows]


def the_table(first: str, columns: int) -> Rows:
    """The one with so many columns whose first is named so."""
    (found,) = (rows for rows in tables() if rows[0][0] == first and len(rows[0]) == columns)
    return found


def trained(name: str) -> tuple[str, int]:
    """Network and number of epochs of a row."""
    network, epochs = name.split(", E = ")
    return NETWORKS[network], int(epochs)


def shown(number: float, like: str) -> str:
    """A number with as many decimals as another has; zero without a sign."""
    text = f"{number:.{len(like.partition('.')[2])}f}"
    return text if float(text) else text.removeprefix("-")


def wrong(cell: str, numbers: Sequence[float]) -> list[str]:
    """What the numbers of a cell should be, where they are not these."""
    told = re.findall(r"-?\d+(?:\.\d+)?", cell)
    right = [shown(number, text) for number, text in zip(numbers, told, strict=True)]
    return [f"{cell}: {', '.join(right)}"] if right != [shown(float(text), text) for text in told] else []


def test_numbers_are_compared_to_the_digits_shown() -> None:
    assert wrong("0.05 [-0.1, 3]", [0.0549, -0.13, 2.5001]) == []
    assert wrong("-0.00 %", [0.001]) == []
    assert wrong("89.57 ± 0.12", [89.576, 0.125001]) == ["89.57 ± 0.12: 89.58, 0.13"]


@cache
def committed(name: str) -> list[dict[str, str]]:
    with (PAPER / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def of_study(table: str, network: str, epochs: int) -> list[dict[str, str]]:
    """The global rows of a committed table; a study's name tells its length where there are several."""
    whole = f"{network}-T30-paper-reference"
    names = {whole, f"{whole}-epochs={epochs}"}
    return [row for row in committed(table) if row["study"] in names and row["scope"] == "global"]


def mean_and_deviation(table: str, column: str, network: str, epochs: int, method: str) -> list[float]:
    """Of a committed table, globally."""
    (row,) = (row for row in of_study(table, network, epochs) if row["method"] == METHODS[method][0])
    return [float(row[f"{column}_mean"]), float(row[f"{column}_std"])]


@pytest.mark.parametrize(
    ("network", "first", "columns"), [(LINEAR, "at", 9), (MLP, "at", 13), (CIFAR10, "at, globally", 5)]
)
def test_accuracies_at_equal_percentages(network: str, first: str, columns: int) -> None:
    head, *rows = the_table(first, columns)
    errors, compared, epochs = [], 0, 20
    for j, name in enumerate(head[1:], 1):
        if name.startswith("E = "):
            epochs, name = int(name[4:].split(":")[0]), name.split(": ")[1]
        for at, cell in ((row[0], row[j]) for row in rows if row[j]):
            kind, column = "equal_sparsity", f"accuracy_at_{at.removesuffix(' %')}"
            if "left" in cell:
                kind, column = "compression", "percent_remaining"
            elif "stops" in cell:
                kind, column = "accuracy", "percent_remaining"
            errors += wrong(cell, mean_and_deviation(kind, column, network, epochs, name))
            compared += 1
    assert errors == []
    assert compared >= 3 * (columns - 2)


def test_what_trainings_give_back() -> None:
    rows = the_table("", 6)[1:]
    errors = []
    for name, *cells in (row for row in rows if not row[0].startswith("the paper's")):
        network, epochs = trained(name.removesuffix(", fresh weights"))
        method = "fresh start" if "fresh" in name else "lottery ticket"
        for cell, column in zip(cells, ("dense", "pruned", "retrained", "given_back_1", "given_back_10"), strict=True):
            errors += wrong(cell, mean_and_deviation("given_back", column, network, epochs, method)[:1])
    assert errors == []
    assert len(rows) > 8


@cache
def runs(epochs: int, network: str) -> dict[str, dict[str, FloatArray]]:
    """Columns of iterations.csv of all runs of a network by the authors' protocol."""
    tables = read_packed(PAPER / "records" / f"E{epochs}" / f"{network}-T30-paper-reference").tables
    found = {}
    for run, text in tables[ITERATIONS_FILE].items():
        head, *rows = csv.reader(text.splitlines())
        found[run] = dict(zip(head, np.array([[float(cell or "nan") for cell in row] for row in rows]).T, strict=True))
    return found


def test_phases() -> None:
    rows = the_table("network", 9)[1:]
    errors: list[str] = []
    network, epochs = "", 0
    for first, method, dense, trough, limit, peak, collapse, end, verdict in rows:
        if first:
            network, epochs = trained(first)
        place = f"{network}-T30-global-{METHODS[method][1]}-seed"
        chosen = [run for name, run in runs(epochs, network).items() if name.startswith(place)]
        curves, percent, accuracies = (
            np.array([run[column] for run in chosen])
            for column in ("retrained_pqi", "percent_remaining", "retrained_accuracy")
        )
        mean, last = curves.mean(axis=0), bounds(accuracies.mean(axis=0))
        errors += wrong(dense, [mean[0]])
        for cell, t in zip((trough, peak, end), map(int, turns(mean)), strict=True):
            if "at the end" in cell:
                assert t == 30
                errors += wrong(cell, [mean[t], percent[:, t].mean()])
            elif cell:
                errors += wrong(cell, [mean[t], t, percent[:, t].mean()][: 3 if "(" in cell else 2])
        for cell, t in (limit, last[0]), (collapse, last[1]):
            if cell in ("not reached", "", "after 30"):
                assert t == 30
            else:
                errors += wrong(cell, [t])
        (claim,) = (
            row
            for row in of_study("claims", network, epochs)
            if row["claim"].startswith("The PQ Index falls first") and row["subject"] == METHODS[method][0]
        )
        assert claim["verdict"] in verdict
        sizes, own = phases(curves, turns(leave_one_out(curves))), phases(curves, turns(curves)).mean(axis=0)
        numbers: list[float] = []
        told = re.findall(r"(-?\d\.\d+)( \[[^]]*\])?( \([^)]*\))?", verdict)
        for i, (_, interval, brackets) in enumerate(told):
            effect = Effect.of("", "", sizes[:, i])
            numbers += [effect.mean, *([effect.low, effect.high] if interval else []), *([own[i]] if brackets else [])]
        errors += wrong(verdict, numbers)
    assert errors == []
    assert len(rows) > 12


def test_intervals_are_those_of_a_table() -> None:
    """Wherever the text has a mean and its interval, a committed table has them, or their negatives."""
    effect = re.compile(rf"({NUMBER})[^\d\[\]]* \[({NUMBER}), ({NUMBER})\]")
    found = {
        tuple(float(row[key.removesuffix("low") + name]) for name in ("mean", "low", "high"))
        for row in committed("compared")
        for key in row
        if key.endswith("_low") and row[key]
    }
    found |= {
        tuple(map(float, numbers))
        for row in committed("claims")
        for numbers in effect.findall(" ".join(row[column] for column in ("effects", "reason")))
    }
    found |= {(-mean, -high, -low) for mean, low, high in found}
    pool = np.array(sorted(found))
    text = re.sub(r"\s+", " ", "".join((ROOT / name).read_text() for name in ("docs/findings.md", "README.md")))
    told = re.findall(rf"({NUMBER}) \[({NUMBER}), ({NUMBER})\]", text)
    unknown = []
    for numbers in told:
        last_digit = np.array([10.0 ** -len(number.partition(".")[2]) for number in numbers])
        rounding = last_digit / 2 + np.abs(pool) * 0.005 + 1e-9  # claims.csv has three significant digits
        if not (np.abs(pool - np.array(numbers, np.float64)) <= rounding).all(axis=1).any():
            unknown.append("{} [{}, {}]".format(*numbers))
    assert unknown == []
    assert len(told) > 150


def test_studies() -> None:
    rows = the_table("study", 4)[1:]
    packed = Counter[int]()
    for folder in (PAPER / "records").glob("E*/*"):
        packed[int(folder.parent.name[1:])] += len(read_packed(folder).described)
    told = Counter[int]()
    for _, epochs, count, _ in rows:
        told[int(epochs)] += int(count)
    assert told == packed
    (count,) = re.findall(r"Our (\d+) records are packed", (ROOT / "README.md").read_text())
    assert int(count) == packed.total()
    (tests,) = re.findall(r"(\d+)\s+tests are made", (ROOT / "docs" / "findings.md").read_text())
    assert int(tests) == len(committed("claims"))
