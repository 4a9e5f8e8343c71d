"""The recipes of CONTRIBUTING.md, followed to the letter and no further, in a copy of the repository."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.support import QUIET, ROOT

FENCE = re.compile(r"^```(?:python|yaml)\n# (\S+\.(?:py|yaml))(?:, at the end of (\w+))?\n(.*?)^```$", re.M | re.S)
COMMAND = re.compile(r"^    python -m src\.main (.+)$", re.M)

FOLLOW = """
import json, sys
from src.main import main
for words in json.load(sys.stdin):
    sys.argv = ["src/main.py", *words]
    main()
"""
"""One process does them all: starting PyTorch takes longer than any of them."""


@dataclass(frozen=True)
class Recipe:
    """Files to make (path -> content), lines to add at the end of a tuple (path, its name, lines), and a command."""

    files: dict[str, str]
    additions: list[tuple[str, str, str]]
    words: list[str]


def recipes() -> dict[str, Recipe]:
    """The recipes by their headings."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    found = {}
    for part in text.split("\n## How to add\n")[1].split("\n## ")[0].split("\n### ")[1:]:
        blocks = FENCE.findall(part)
        assert len(blocks) == part.count("```") // 2, "a block that says not which file it is"
        (command,) = COMMAND.findall(part)
        files = {path: content for path, place, content in blocks if not place}
        found[part.split("\n")[0]] = Recipe(files, [block for block in blocks if block[1]], shlex.split(command))
    return found


def follow(recipe: Recipe, tree: Path) -> list[Path]:
    """Make its files and additions in `tree`; the files made."""
    for path, content in recipe.files.items():
        assert not (tree / path).exists(), f"{path} is there already"
        (tree / path).write_text(content)
    for path, place, lines in recipe.additions:
        before, start, after = (tree / path).read_text("utf-8").partition(f"\n{place}: ")
        assert start, f"{path} has no {place}"
        (tree / path).write_text(before + start + after.replace("\n)\n", f"\n{lines})\n", 1))
    return [tree / path for path in (*recipe.files, *(path for path, _, _ in recipe.additions))]


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of what runs, with all recipes followed, and a folder with a file of arrays."""
    tree = tmp_path_factory.mktemp("tree")
    for folder in ("src", "conf", "hydra_plugins"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__", "local"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    random = np.random.default_rng(0)
    sizes = {"train": 1000, "test": 250}
    images = {f"x_{part}": random.integers(0, 256, (n, 1, 8, 8), np.uint8) for part, n in sizes.items()}
    labels = {f"y_{part}": random.permutation(np.arange(n) % 4) for part, n in sizes.items()}
    (tree / "arrays").mkdir()
    np.savez(tree / "arrays" / "arrays.npz", **images, **labels)
    return tree


@pytest.fixture(scope="module")
def runs(tree) -> dict[str, list[dict[str, object]]]:
    """What `run.json` tells of the runs that each recipe's command makes, with two prunings."""
    commands = []
    for heading, recipe in recipes().items():
        follow(recipe, tree)
        words = [word.replace("PATH", str(tree / "arrays")) for word in recipe.words]
        quiet = [word for word in QUIET if word.split("=")[0] not in {word.split("=")[0] for word in words}]
        commands.append(
            [
                *words,
                *quiet,
                "threads=1",
                "record.picture=false",
                "prune.iterations=2",
                f"output_dir={_output(tree, heading)}",
            ]
        )
    environment = {**os.environ, "PYTHONPATH": str(tree), "WANDB_DIR": str(tree), "WANDB_SILENT": "true"}
    done = subprocess.run(
        [sys.executable, "-c", FOLLOW], input=json.dumps(commands), text=True, capture_output=True, cwd=tree,
        env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return {
        heading: [json.loads(path.read_text()) for path in sorted(_output(tree, heading).glob("runs/*/run.json"))]
        for heading in recipes()
    }


def _output(tree: Path, heading: str) -> Path:
    return tree / "out" / re.sub(r"\W", "_", heading)


def test_every_recipe_ends_with_finished_runs(runs):
    assert len(runs) == 9
    counts = {heading: len(found) for heading, found in runs.items()}
    assert counts == {heading: {"A pruning method": 2, "An experiment": 3}.get(heading, 1) for heading in runs}
    assert {run["status"] for found in runs.values() for run in found} == {"finished"}


def test_each_part_is_what_ran(runs):
    assert [run["method"]["label"] for run in runs["A pruning method"]] == ["Gradual (s=0.8)", "Gradual (s=0.9)"]
    assert [run["method"]["label"] for run in runs["A score"]] == ["Lottery Ticket (P=0.2), relative scores"]
    assert [run["method"]["label"] for run in runs["A rule of rewinding"]] == ["SAP (p=0.5, q=1.0), shrunk to 0.4"]
    assert [run["model"] for run in runs["A model"]] == ["lenet"]
    assert [run["dataset"] for run in runs["A data set"]] == ["arrays"]
    assert [run["choices"]["trainer/optimizer"] for run in runs["An optimizer"]] == ["lion"]
    assert [run["choices"]["trainer/schedule"] for run in runs["A learning-rate schedule"]] == ["exponential"]
    assert sorted(run["method"]["kind"] for run in runs["An experiment"]) == ["lottery_ticket", "random_pruning", "sap"]


def test_the_method_prunes_what_it_says(runs, tree):
    ends = [
        (_output(tree, "A pruning method") / "runs" / str(run["name"]) / "iterations.csv").read_text().splitlines()[-1]
        for run in runs["A pruning method"]
    ]
    assert [round(float(row.split(",")[3])) for row in ends] == [20, 10]  # percent remaining


@pytest.mark.usefixtures("runs")
def test_the_metric_is_told(tree):
    (log,) = tree.rglob("run-*.wandb")
    assert b"layer/linear.weight/pruned_count" in log.read_bytes()


@pytest.mark.usefixtures("runs")
def test_what_is_shown_passes_the_linter(tree):
    files = [str(tree / path) for recipe in recipes().values() for path in recipe.files if path.endswith(".py")]
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, *files], cwd=tree, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_a_recipe_that_lies_is_found(tmp_path):
    made = Recipe({"conf.yaml": "a: 1\n"}, [("words.py", "WORDS", "    'c',\n")], [])
    (tmp_path / "words.py").write_text("A = (\n)\n\nWORDS: tuple = (\n    'a',\n)\nB = (\n)\n")
    follow(made, tmp_path)
    assert (tmp_path / "words.py").read_text() == "A = (\n)\n\nWORDS: tuple = (\n    'a',\n    'c',\n)\nB = (\n)\n"
    with pytest.raises(AssertionError, match=r"conf\.yaml is there already"):
        follow(made, tmp_path)
    with pytest.raises(AssertionError, match="has no NAMES"):
        follow(Recipe({}, [("words.py", "NAMES", "")], []), tmp_path)
