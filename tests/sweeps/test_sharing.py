"""Which trainings are known to be the same (PROTOCOL 2.5)."""

from itertools import product

from src.experiments.compose import jobs_of
from src.experiments.sharing import training_keys


def keys(*words: str) -> list:
    (job,) = jobs_of(["model=mlp", "prune.iterations=3", *words])
    return list(training_keys(job))


def shared(one: list, other: list) -> list[int]:
    return [t for t, (a, b) in enumerate(zip(one, other, strict=False)) if a == b]


def test_a_run_s_own_trainings_differ():
    assert len(set(keys("prune=sap"))) == 4


def test_iteration_0_is_the_same_for_all_methods_and_scopes():
    methods = ("sap", "sap_1_2", "lottery_ticket", "one_shot")
    runs = [keys(f"prune={m}", f"prune.scope={s}") for m, s in product(methods, ("neuron", "layer", "global"))]
    assert len({run[0] for run in runs}) == 1
    assert keys("prune=dense", "prune.iterations=0")[0] == runs[0][0]


def test_but_not_for_other_trainings():
    runs = [keys(word) for word in ("seed=0", "seed=1", "trainer.lr=0.2", "model=linear", "trainer.epochs=5")]
    assert len({run[0] for run in runs}) == 5


def test_lottery_ticket_and_one_shot_share_iteration_1_of_a_scope():
    for scope in ("neuron", "layer", "global"):
        lt, os = keys("prune=lottery_ticket", f"prune.scope={scope}"), keys("prune=one_shot", f"prune.scope={scope}")
        assert shared(lt, os) == [0, 1]
    assert shared(keys("prune=one_shot"), keys("prune=one_shot", "prune.scope=layer")) == [0]
    assert shared(keys("prune=one_shot"), keys("prune=lottery_ticket", "prune.ratio=0.3")) == [0]


def test_unless_other_checkpoints_decide_their_first_masks():
    for source, decision, expected in [
        ("last", "best_test", [0]),
        ("last", "last", [0, 1]),
        ("best", "best_test", [0, 1]),
        ("best", "last", [0]),
        ("reference", "last", [0, 1]),
    ]:
        words = [f"protocol.os.source={source}", f"protocol.decision.checkpoint={decision}"]
        assert shared(keys("prune=lottery_ticket", *words), keys("prune=one_shot", *words)) == expected


def test_large_gammas_prune_the_same_where_the_paper_s_networks_are_trained_to_the_end():
    paper = ["model=cnn", "trainer=paper", "prune=sap"]
    assert shared(keys(*paper, "prune.gamma=3"), keys(*paper, "prune.gamma=9")) == [0, 1]
    assert shared(keys(*paper, "prune.gamma=1"), keys(*paper, "prune.gamma=3")) == [0]
    for other in ("trainer=quick", "prune.scope=layer", "prune.p=0.4", "model=linear"):
        assert shared(keys(*paper, other, "prune.gamma=3"), keys(*paper, other, "prune.gamma=9")) == [0]
