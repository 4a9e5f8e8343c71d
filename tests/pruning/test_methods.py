"""What methods are called, and what their settings may be."""

import pytest

from src.errors import UserError
from src.pruning.gradient_scores import Snip
from src.pruning.methods.at_initialisation import SnipPruning
from src.pruning.methods.dense import Dense
from src.pruning.methods.lottery_ticket import LotteryTicket
from src.pruning.methods.one_shot import OneShot
from src.pruning.methods.random_pruning import RandomPruning
from src.pruning.methods.sap import Sap
from src.pruning.methods.scheduled import Scheduled
from src.pruning.rewinding import FineTune, Fresh, ToEpoch
from src.pruning.scores import Random


@pytest.mark.parametrize(
    ("method", "short", "label"),
    [
        (Sap(), "sap-0.5-1-0-1", "SAP (p=0.5, q=1.0)"),
        (Sap(p=1.0, q=2.0), "sap-1-2-0-1", "SAP (p=1.0, q=2.0)"),
        (Sap(eta_r=0.1, gamma=3.0), "sap-0.5-1-0.1-3", r"SAP (p=0.5, q=1.0, $\eta_r$=0.1, $\gamma$=3.0)"),
        (Sap(beta=0.5), "sap-0.5-1-0-1-beta0.5", r"SAP (p=0.5, q=1.0, $\beta$=0.5)"),
        (Sap(measure="gini"), "sap-0.5-1-0-1-gini", "SAP by Gini (p=0.5, q=1.0)"),
        (Sap(score=Random()), "sap-0.5-1-0-1-random", "SAP (p=0.5, q=1.0), random scores"),
        (LotteryTicket(), "lt-0.2", "Lottery Ticket (P=0.2)"),
        (LotteryTicket(rewind=ToEpoch(2)), "lt-0.2-rewind2", "Lottery Ticket (P=0.2), rewound to epoch 2"),
        (LotteryTicket(rewind=FineTune()), "lt-0.2-fine_tune", "Lottery Ticket (P=0.2), fine-tuned"),
        (LotteryTicket(rewind=Fresh()), "lt-0.2-fresh", "Lottery Ticket (P=0.2), freshly initialised"),
        (LotteryTicket(score=Snip(2)), "lt-0.2-snip-batches2", "Lottery Ticket (P=0.2), snip-batches2 scores"),
        (
            LotteryTicket(exclude=["stem.*", "fc"]),
            "lt-0.2-without_stem._fc",
            "Lottery Ticket (P=0.2), without stem.*, fc",
        ),
        (Scheduled(), "schedule-0.2", "Schedule (P=0.2)"),
        (Scheduled(ratios=[0.5, 0.3]), "schedule-0.5-0.3-0.2", "Schedule (P=0.5 to 0.3, 2 iterations, then 0.2)"),
        (OneShot(ratio=0.5), "os-0.5", "One Shot (P=0.5)"),
        (RandomPruning(), "random-0.2", "Random (P=0.2)"),
        (SnipPruning(), "snip-0.2", "SNIP (P=0.2)"),
        (Dense(), "dense", "Dense"),
    ],
)
def test_short_name_and_label(method, short, label):
    assert (method.short, method.label) == (short, label)


def test_methods_without_many_layers_are_told_apart():
    layers = [f"encoder.layers.{i}.attention.weight" for i in range(12)]
    one, other = LotteryTicket(exclude=layers).short, LotteryTicket(exclude=layers[:-1]).short
    assert one != other
    assert (one[:100], len(one)) == (other[:100], 120)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Sap(p=1.0, q=1.0), "prune.p=1.0 is not allowed: it must be smaller than prune.q=1"),
        (Sap(p=0.0), "prune.p=0.0 is not allowed: it must be above 0"),
        (Sap(eta_r=-1.0), "prune.eta_r=-1.0"),
        (Sap(gamma=0.0), "prune.gamma=0.0"),
        (Sap(beta=1.0), "prune.beta=1.0"),
        (LotteryTicket(ratio=1.0), "prune.ratio=1.0 is not allowed: it must be above 0 and below 1"),
        (LotteryTicket(score=Snip(0)), "prune.score.batches=0 is not allowed: it must be at least 1"),
        (Scheduled(ratios=[0.5, 1.0]), r"prune.ratios\[1\]=1.0 is not allowed: it must be at least 0 and below 1"),
        (LotteryTicket(rewind=ToEpoch(-1)), "prune.rewind.epoch=-1 is not allowed"),
    ],
)
def test_limits(method, message):
    with pytest.raises(UserError, match=message):
        method.check("prune")
