"""A package of an outsider's: its parts by themselves, and a run of them from a folder of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from src.config.code import code_digest
from src.models.model import build_model, prunable_names

ROOT = Path(__file__).parents[2]
OUTSIDE = ROOT / "examples" / "outside"


@pytest.fixture
def _mine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(OUTSIDE))


@pytest.mark.usefixtures("_mine")
@pytest.mark.parametrize(("power", "count"), [(0.0, [4, 2, 0]), (1.0, [4, 1, 0]), (2.0, [4, 0, 0])])
def test_the_ratio_shrinks_with_the_share_alive(power, count):
    from mine.method import Tapered

    alive = torch.tensor([[True] * 10, [True] * 5 + [False] * 5, [False] * 10])
    assert Tapered(ratio=0.4, power=power).amount(torch.ones(3, 10), alive, 0, None).count.tolist() == count
    assert Tapered(power=power).label == f"Tapered (P=0.4, power {power:g})"


@pytest.mark.usefixtures("_mine")
def test_the_model_takes_images_of_any_size():
    from mine.model import Strided

    network = build_model(Strided(width=4), (3, 5, 7), 10, seed=0)
    assert [network.get_parameter(name).numel() for name in prunable_names(network)] == [108, 288, 80]
    assert Strided(width=4).short == "strided-width4"


@pytest.mark.usefixtures("_mine")
def test_the_data_set_is_balanced_gray_and_always_the_same():
    from mine.data import Stripes

    images, again = (Stripes().read(Path("nowhere"), download=False) for _ in range(2))
    assert images.fault() is None
    assert images.digest == again.digest
    assert images.train_images.shape == (800, 1, 12, 12)
    assert images.train_labels.bincount(minlength=4).min() > 150
    assert Stripes(noise=0).read(Path("nowhere"), download=False).digest != images.digest


@pytest.mark.usefixtures("_mine")
def test_the_code_of_a_part_is_its_package():
    from mine.method import Tapered
    from mine.model import Strided

    assert code_digest(Tapered) != code_digest(Strided)


def test_runs_from_a_folder_of_its_own_sweep_over_its_settings(tmp_path):
    package = shutil.copytree(OUTSIDE, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "src.main", "--config-dir", str(package / "conf"), "-m"]
    command += ["prune=mine", "model=mine", "dataset=mine", "trainer=smoke", "tracking=none", "prune.iterations=1"]
    command += ["prune.power=0,2", "dataset.train_size=null", "dataset.test_size=null", "hydra/launcher=stacked"]
    command += [f"output_dir={tmp_path / 'out'}"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{package}"}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    runs = sorted((json.loads(path.read_text()) for path in tmp_path.glob("out/**/run.json")), key=lambda r: r["name"])
    assert [run["method"]["kind"] for run in runs] == ["tapered", "tapered"]
    assert [run["method"]["label"] for run in runs] == ["Tapered (P=0.4, power 0)", "Tapered (P=0.4, power 2)"]
    assert [run["status"] for run in runs] == ["finished", "finished"]
    assert {(run["model"], run["dataset"]) for run in runs} == {("strided", "stripes")}
    assert len({run["id"] for run in runs}) == 2
