"""The library as an outsider has it: a wheel in an environment of its own, beside a project that has its own `src`."""

import os
import subprocess
import textwrap
import zipfile
from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Someone's project: a package `src` of their own, which does not know ours."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "__init__.py").write_text("OURS = False\n")
    return tmp_path


def run(environment: Path, project: Path, code: str) -> str:
    words = [environment / "bin" / "python", "-c", textwrap.dedent(code)]
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(words, cwd=project, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_one_package_that_asks_for_nothing_of_the_reproduction(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    metadata = next(text for name, text in texts.items() if name.endswith("METADATA"))
    assert metadata.split("\n\n", 1)[1].startswith("# pqindex: ")
    always = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert sorted(line.split()[1].split(">")[0] for line in always) == ["numpy", "torch"]
    assert {name.split("/")[0] for name in texts} == {
        "pqindex",
        wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }
    absolute = [
        name for name, text in texts.items() if name.endswith(".py") and ("from src" in text or "import src" in text)
    ]
    assert absolute == []


def test_it_is_used_beside_a_project_with_a_src_of_its_own_and_takes_a_tenth_of_a_second(
    environment: Path, project: Path
):
    code = """
    import src, torch, time
    from torch import nn
    started = time.process_time()
    import pqindex
    print(time.process_time() - started <= 0.1)
    network = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    masks = pqindex.prune_step(network, pqindex.Masks.of(network), pqindex.LotteryTicket(ratio=0.25))
    print(src.OURS, masks.alive, len(pqindex.measure(network).layers))
    for method in (pqindex.Sap(measure="gini"), pqindex.OneShot(), pqindex.RandomPruning(), pqindex.SynflowPruning()):
        pqindex.prune_step(network, masks, method, batches=[(torch.ones(1, 8), torch.zeros(1).long())])
        import sys
    print([name for name in sys.modules if name.split(".")[0] in ("conf", "hydra", "safetensors", "src")])
    """
    assert run(environment, project, code) == "True\nFalse 30 2\n['src']\n"


def test_its_command(environment: Path, project: Path):
    import torch

    torch.save({"state_dict": {"fc.weight": torch.tensor([[4.0, 3], [2, 1]])}}, project / "model.pt")
    done = subprocess.run(
        [environment / "bin" / "pqindex", "model.pt", "--csv"], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1].startswith("fc.weight,2x2,4,0,0.0555")
