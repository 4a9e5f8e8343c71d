"""Imports go one way, and a run loads little: what the house promises to those who read it."""

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT

LAYERS = (
    ("main",),
    (
        "status",
        "figures",
        "tables",
        "report",
        "dashboard",
        "export",
        "archive",
        "measure",
        "hydra_plugins",
    ),  # commands, plugins
    ("analysis", "sweeps"),
    ("execution",),
    ("tracking",),
    ("records",),
    ("run",),
    ("store",),
    ("config.settings",),  # knows the kinds of parts; the rest of config knows no part
    ("trajectory",),
    ("training", "interop"),
    ("library",),
    ("pruning",),
    ("sparsity",),
    ("data", "models"),
    ("config",),
    ("errors", "files", "messages"),
)
"""Top to bottom. A module imports its own layer's package and what lies below; layers of one row know nothing of each
other."""

APART = {("training", "pruning")}
"""Below, and still not to be imported: training knows masks as tensors."""

EXCEPTIONS = {("execution", "analysis")}
"""A run that has ended draws curves.png. To be taken out here when it is drawn elsewhere."""


PACKAGES = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "src").rglob("__init__.py")}


def sources() -> dict[str, str]:
    """Every module of ours and its text."""
    files = [path for folder in ("src", "hydra_plugins") for path in (ROOT / folder).rglob("*.py")]
    return {_module(path): path.read_text("utf-8") for path in files}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imported(module: str, text: str) -> list[str]:
    """Names of ours that a module imports, wherever in its code; of `from a import b`, `a.b`."""
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = module if module in PACKAGES else module.rpartition(".")[0]
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names = [f"{base}.{alias.name}" for alias in node.names]
        found += [name for name in names if name.startswith(("src.", "hydra_plugins.sap_"))]
    return found


@cache
def layer(name: str) -> str | None:
    """The longest entry of the table that `name`, a module or what it defines, lies in."""
    path = f"{name.removeprefix('src.')}."
    return max((entry for row in LAYERS for entry in row if path.startswith(f"{entry}.")), key=len, default=None)


def row(entry: str) -> int:
    return next(i for i, entries in enumerate(LAYERS) if entry in entries)


def crossings(modules: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
    """Pairs of layers that are against the table, and the imports that are."""
    found: dict[tuple[str, str], list[str]] = {}
    for module, text in modules.items():
        for name in imported(module, text):
            above, below = layer(module), layer(name)
            assert above, f"{module} has no place in LAYERS"
            assert below, f"{module} imports {name}, which has no place in LAYERS"
            if above != below and (row(above) >= row(below) or (above, below) in APART):
                found.setdefault((above, below), []).append(f"{module} imports {name}")
    return found


def test_imports_go_one_way():
    found = crossings(sources())
    assert {pair: lines for pair, lines in found.items() if pair not in EXCEPTIONS} == {}
    assert set(found) >= EXCEPTIONS, "an exception that is not needed any more"


@pytest.mark.parametrize(
    ("module", "line", "pair"),
    [
        ("src.sparsity.pqi", "from src.pruning.masks import Masks", ("sparsity", "pruning")),
        ("src.sparsity", "from ..pruning import masks", ("sparsity", "pruning")),
        ("src.training.loop", "from src.pruning.method import Method", ("training", "pruning")),
        ("src.config.part", "def f():\n    import src.config.settings", ("config", "config.settings")),
        ("src.analysis.tables.results", "from src.sweeps import work", ("analysis", "sweeps")),
        ("src.data.folder", "from src.main import run", ("data", "main")),
        ("src.sparsity.pqi", "from ..pruning import masks", ("sparsity", "pruning")),
    ],
)
def test_a_crossing_is_found(module, line, pair):
    made_up = sources()
    made_up[module] = f"{line}\n{made_up[module]}"
    assert pair not in crossings(sources())
    assert len(crossings(made_up)[pair]) == 1


def test_every_import_leads_somewhere():
    modules = sources()
    found = [f"{module} imports {name}" for module, text in modules.items() for name in imported(module, text)]
    assert [line for line in found if not {line.split()[-1], line.split()[-1].rpartition(".")[0]} & set(modules)] == []


def test_every_layer_is_there():
    assert {entry for entries in LAYERS for entry in entries} == {layer(name) for name in sources()} - {None}


HEAVY = ("torch._dynamo", "torchvision", "sklearn", "scipy", "sympy", "pandas", "matplotlib", "wandb", "joblib")

BOUNDS = {
    "modules": 81,  # 70 is the aim
    "lines": 7540,  # 5,000
    "classes": 106,  # 75
    "cpu": 1.5,
    "memory": 1.15,
}
"""What one run may load of ours, and what it may cost in all against `import torch` alone."""

MEASURED = f"""
import json, resource, sys, time

def cost():
    return time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

import torch
alone = cost()
from src.main import main
main()
whole = cost()
ours = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
heavy = [name for name in {HEAVY} if name in sys.modules]
print(json.dumps({{"alone": alone, "whole": whole, "ours": ours, "heavy": heavy}}))
"""


def smoke_run(output_dir: Path) -> dict[str, Any]:
    """What a smoke run of one iteration has loaded and cost, told by its own process."""
    words = ["prune=sap", "model=linear", "dataset=digits", "trainer=smoke", "tracking=none", "prune.iterations=1"]
    words += ["device=cpu", "threads=1", f"output_dir={output_dir}"]
    command = [sys.executable, "-c", MEASURED, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return smoke_run(tmp_path_factory.mktemp("light"))


def test_a_run_loads_nothing_that_it_does_not_use(loaded):
    assert loaded["heavy"] == []


def test_a_run_loads_few_modules_lines_and_classes_of_ours(loaded):
    found_below = [ROOT / folder for folder in ("src", "hydra_plugins")]
    files = {Path(path) for path in loaded["ours"] if path and any(map(Path(path).is_relative_to, found_below))}
    texts = [path.read_text("utf-8") for path in files]
    found = {
        "modules": len(files),
        "lines": sum(len(text.splitlines()) for text in texts),
        "classes": sum(isinstance(node, ast.ClassDef) for text in texts for node in ast.walk(ast.parse(text))),
    }
    assert {name: count for name, count in found.items() if not 0 < count <= BOUNDS[name]} == {}


def test_a_run_costs_little_more_than_importing_torch(loaded, tmp_path):
    """Processor time is less exact on a machine that others use: the best of three runs counts."""
    for n in range(3):
        ratios = [whole / alone for whole, alone in zip(loaded["whole"], loaded["alone"], strict=True)]
        above = {name: x for name, x in zip(("cpu", "memory"), ratios, strict=True) if x > BOUNDS[name]}
        if not above:
            break
        loaded = smoke_run(tmp_path / str(n))
    assert above == {}
