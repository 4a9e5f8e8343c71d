"""What a user may write, and what a mistake is answered with."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from src.config.settings import settings_dict, takes
from src.errors import UserError
from src.pruning.method import Method
from tests.config.test_compositions import composed

MINE = "tests.config.test_settings"


class NoMethod:
    """Something that is no pruning method."""


@dataclass(frozen=True)
class Hiding(Method):
    kind: str = "a"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["prune.zzz=1"], "unknown key prune.zzz: known here: scope, iterations"),
        (["prune.gama=2"], "unknown key prune.gama: did you mean gamma?"),
        (["prune.name=sap"], "unknown key prune.name"),
        (["prune=lottery_ticket", "prune.p=0.5"], "unknown key prune.p"),
        (["+trainer.lrr=1"], "unknown key trainer.lrr: did you mean lr?"),
        (["+trainer.momentum=0.5"], "unknown key trainer.momentum: it is trainer.optimizer.momentum"),
        (["trainer.optimizer.momentun=0.5"], "unknown key trainer.optimizer.momentun: did you mean momentum?"),
        (["prune.score.batches=2"], "unknown key prune.score.batches"),
        (["prune.p=abc"], "prune.p=abc is not allowed: it must be a number"),
        (["prune.scope=network"], "prune.scope=network is not allowed: it must be one of neuron, layer, global"),
        (["prune.p=1.5"], "prune.p=1.5 is not allowed: it must be smaller than prune.q=1, as 0 < p < q"),
        (["prune.p=0"], "prune.p=0.0 is not allowed: it must be above 0"),
        (["prune.p=nan"], "prune.p=nan is not allowed: it must be above 0"),
        (["prune.q=inf"], "prune.q=inf is not allowed"),
        (["prune.iterations=-1"], "prune.iterations=-1 is not allowed: it must be at least 0"),
        (["prune.rewind.epoch=200"], "prune.rewind.epoch=200 is not allowed: it must be below trainer.epochs=200"),
        (["~prune"], "prune has no _target_: choose a pruning method with prune=NAME"),
        (["prune._target_=nowhere.Thing"], "prune._target_=nowhere.Thing cannot be imported"),
        ([f"prune._target_={MINE}.Hiding"], r"Hiding has a field kind, which hides what every part has: rename it"),
        (["prune._target_=os.path"], "prune._target_=os.path is not allowed: it must name a class derived from"),
        ([f"prune._target_={MINE}.NoMethod"], f"prune._target_={MINE}.NoMethod is not allowed"),
        (["model._target_=src.pruning.methods.sap.Sap"], "it must name a class derived from src.models.model.Model"),
        (["trainer.optimizer._target_=torch.optim.LBFGS"], "a class derived from src.training.optimizers.Optimizer"),
        (["trainer.optimizer.momentum=0"], "trainer.optimizer.momentum=0.0 is not allowed"),
        (["seed=-1"], "seed=-1 is not allowed: it must be at least 0"),
        (["seed=99999999999999999999999"], "seed=99999999999999999999999 is not allowed"),
        (["trainer.batch_size=99999999999999999999"], "trainer.batch_size=99999999999999999999 is not allowed"),
        (["threads=9999999"], "threads=9999999 is not allowed"),
        (["trainer.lr=0"], "trainer.lr=0.0 is not allowed: it must be above 0"),
        (["trainer.lr=nan"], "trainer.lr=nan is not allowed"),
        (["model.hidden=[0]"], "model.hidden"),
        (["dataset.train_size=0"], "dataset.train_size=0"),
        (["output_dir=''"], "output_dir='' is not allowed: it must be a path"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(overrides, message):
    with pytest.raises(UserError, match=re.escape(message)):
        composed(*overrides)


def test_a_part_of_ones_own_kind_may_stand_for_any_choice():
    config = composed(
        "prune._target_=src.pruning.methods.lottery_ticket.LotteryTicket", "prune.ratio=0.3", "~prune.p", "~prune.q"
    )
    assert config.prune.short == "lt-0.3"


def test_a_methods_keys_need_not_stand_in_its_yaml():
    assert composed("prune.beta=0.5", "prune.rewind.epoch=2").prune.short == "sap-0.5-1-0-1-beta0.5-rewind2"


def test_paths_are_expanded_once(monkeypatch):
    monkeypatch.setenv("HOME", "/somebody")
    assert composed("output_dir='~/runs'").output_dir == "/somebody/runs"


def test_what_is_recorded_names_classes_settings_and_what_things_are_called():
    recorded = settings_dict(composed("prune=one_shot", "model=resnet18"))
    assert recorded["prune"]["_target_"] == "src.pruning.methods.one_shot.OneShot"
    assert recorded["prune"]["name"] == "one_shot"
    assert recorded["prune"]["ratio"] == 0.2
    assert recorded["prune"]["score"] == {"_target_": "src.pruning.scores.Magnitude"}
    assert recorded["trainer"]["optimizer"]["momentum"] == 0.9
    assert recorded["model"]["name"] == "resnet18"
    assert recorded["dataset"]["name"] == "cifar10"


@pytest.mark.parametrize(("key", "expected"), [("p", True), ("ratio", False), ("rewind.epoch", True), ("p.x", False)])
def test_which_keys_a_part_takes(key, expected):
    assert takes("prune", {"_target_": "src.pruning.methods.sap.Sap"}, key) is expected


def test_nothing_that_a_record_names_is_resolved():
    """Stored configurations are data: no reader calls what turns names into classes."""
    readers = [
        path for path in Path("src").rglob("*.py") if path.parts[1] in {"records", "store", "analysis", "sweeps"}
    ]
    assert readers
    assert not [path for path in readers if "resolve_name" in path.read_text()]
