"""Every claim on records that bear it out, on records that refute it, and on too few."""

import numpy as np
import pytest

from src.analysis.claims import CLAIMS
from src.analysis.claims.finding import Effect, Finding, Verdict, judge
from src.records.method import ABLATIONS, LOTTERY_TICKET, ONE_SHOT, SAP, SAP_1_2, paper_method
from src.records.study import Study
from tests.analysis.in_memory import noisy, run, study

FIND = {claim.name: claim.find for claim in CLAIMS}
THREE_PHASES = [0.30, 0.25, 0.20, 0.25, 0.40, 0.60, 0.30, 0.05]
FALLING = [0.30, 0.25, 0.20, 0.18, 0.17, 0.165, 0.16, 0.155]
KEEPS = [90.0, 90.2, 90.1, 90.0, 89.9, 89.8, 89.7, 89.6]
DROPS = [90.0, 90.0, 90.0, 89.0, 88.0, 85.0, 80.0, 75.0]
COLLAPSES = [90.0, 90.0, 90.0, 89.0, 85.0, 60.0, 10.0, 10.0]


def findings(claim: str, records: Study) -> list[Finding]:
    return list(FIND[claim](records))


def only(claim: str, records: Study) -> Finding:
    (found,) = findings(claim, records)
    return found


@pytest.mark.parametrize(("claim", "column"), [("pqi_phases", "retrained_pqi"), ("gini_phases", "retrained_gini")])
@pytest.mark.parametrize(
    ("curve", "accuracy", "verdict", "reason"),
    [
        (THREE_PHASES, COLLAPSES, "holds", ""),
        (THREE_PHASES, DROPS, "holds", ""),
        (FALLING, COLLAPSES, "fails", "not so: rises"),
        (FALLING, DROPS, "fails", "not so: rises"),
        (FALLING, KEEPS, "limit not reached", "limit of compression is not reached"),
        (THREE_PHASES[:6], COLLAPSES[:6], "limit not reached", "no collapse to see"),
        ([*THREE_PHASES[:6], 0.61, 0.62], COLLAPSES, "fails", "not so: falls again"),
        (
            [*THREE_PHASES[:6], 0.61, 0.62],
            [*COLLAPSES[:5], 60.0, 50.0, 10.0],
            "limit not reached",
            "no collapse to see",
        ),
        (FALLING, [*KEEPS[:3], 80.0, *KEEPS[4:]], "limit not reached", "limit of compression is not reached"),
        ([0.3, 0.299, 0.297, 0.29, 0.28, 0.25, 0.2, 0.1], DROPS, "fails", "not so: rises"),
        ([0.3, 0.299, 0.297, 0.29, 0.28, 0.25, 0.2, 0.1], KEEPS, "limit not reached", "compression is not reached"),
        (THREE_PHASES[2:], COLLAPSES[2:], "fails", "not so: falls first"),
    ],
)
def test_phases(claim, column, curve, accuracy, verdict, reason):
    runs = [run(seed, retrained_accuracy=accuracy, **{column: y}) for seed, y in enumerate(noisy(curve))]
    found = only(claim, study(runs))
    assert (found.verdict, found.seeds) == (verdict, (0, 1, 2, 3))
    assert reason in found.reason


def test_phases_say_where_the_index_turns():
    runs = [run(seed, retrained_pqi=y, retrained_accuracy=COLLAPSES) for seed, y in enumerate(noisy(THREE_PHASES))]
    assert "trough 0.200 at t=2 (64 % left, accuracy 90.0 %)" in only("pqi_phases", study(runs)).evidence


def test_noise_round_a_fall_has_no_rise():
    """With turns chosen in its own noise, every seed would show one."""
    curves = noisy([*FALLING[:3], *[0.2] * 30], spread=0.01)
    runs = [run(seed, retrained_pqi=y, retrained_accuracy=[90.0, *[5.0] * 32]) for seed, y in enumerate(curves)]
    assert only("pqi_phases", study(runs)).verdict != Verdict.holds


def test_seeds_that_disagree_decide_nothing():
    curves = [THREE_PHASES, THREE_PHASES, FALLING, FALLING]
    runs = [run(seed, retrained_pqi=y, retrained_accuracy=COLLAPSES) for seed, y in enumerate(curves)]
    found = only("pqi_phases", study(runs))
    assert found.verdict == Verdict.inconclusive
    assert "undecided" in found.reason


def test_a_phase_that_each_seed_has_at_its_own_iterations_does_not_fail():
    """At the turns of the others nobody rises, and all agree on that."""
    curves = [[0.3, 0.2, *[0.2] * peak, 0.35, *[0.2] * (20 - peak)] for peak in (3, 8, 13, 18)]
    runs = [run(seed, retrained_pqi=y, retrained_accuracy=[90.0, *[5.0] * 22]) for seed, y in enumerate(curves)]
    found = only("pqi_phases", study(runs))
    assert found.verdict == Verdict.inconclusive
    assert "at the seeds' own turns +0.15" in found.reason


@pytest.mark.parametrize("claim", [claim.name for claim in CLAIMS])
@pytest.mark.parametrize("count", [1, 2])
def test_a_run_of_no_prunings_or_one_says_little(claim, count):
    sweep = [paper_method("sap", p=p, q=1.0) for p in (0.2, 0.8)]
    methods = [SAP, LOTTERY_TICKET, *sweep]
    runs = [
        run(seed, method, percent_remaining=[100, 80][:count], retrained_gini=[0.5, 0.4][:count])
        for seed in range(3)
        for method in methods
    ]
    undecided = {Verdict.not_reached, Verdict.inconclusive}
    assert {f.verdict for f in findings(claim, study(runs)) if claim not in ("first_layer", "monotone_p")} <= undecided


@pytest.mark.parametrize("claim", ["pqi_phases", "gini_phases", "gini_alike", "adapts", "first_layer"])
def test_two_seeds_are_not_enough(claim):
    layers = {"first": [100.0] * 8, "last": [100.0] * 7 + [1.0]}
    runs = [run(s, retrained_pqi=THREE_PHASES, retrained_gini=THREE_PHASES, layers=layers) for s in range(2)]
    found = only(claim, study(runs))
    assert found.verdict == Verdict.not_enough_seeds
    assert found.reason.startswith("2 seeds, 3 needed; so far it would ")


@pytest.mark.parametrize(("gini", "verdict"), [(THREE_PHASES, "holds"), (THREE_PHASES[::-1], "fails")])
def test_gini_alike(gini, verdict):
    runs = [run(s, retrained_pqi=THREE_PHASES, retrained_gini=g) for s, g in enumerate(noisy(gini))]
    assert only("gini_alike", study(runs)).verdict == verdict


@pytest.mark.parametrize(("left", "verdict"), [([100, 70, 60, 55], "holds"), ([1000, 800, 640, 512], "fails")])
def test_adapts(left, verdict):
    assert only("adapts", study(run(seed, remaining=left) for seed in range(3))).verdict == verdict


def test_rounding_of_few_weights_is_no_adapting():
    left, bound = [10, 8, 6, 5, 4], [8, 6.4, 4.8, 4, np.nan]
    runs = [run(seed, remaining=left, retained_bound=bound) for seed in range(3)]
    assert only("adapts", study(runs)).verdict == "fails"


def sweep(parameter: str, rates: list[float], seeds: int = 3) -> Study:
    """Each value of the sweep keeps its rate of the weights per iteration; a rate of 0 stands for no runs."""
    methods = ABLATIONS[parameter].methods
    return study(
        run(seed, method, percent_remaining=100 * (rate + 0.001 * seed) ** np.arange(5))
        for method, rate in zip(methods, rates, strict=True)
        if rate
        for seed in range(seeds)
    )


@pytest.mark.parametrize("parameter", list(ABLATIONS))
@pytest.mark.parametrize(
    ("rates", "verdict"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0.5], "holds"),
        ([0.9, 0.8, 0.1, 0.1, 0.1], "holds"),  # ties, as of gamma at the largest share that SAP may prune
        ([0.9, 0.7, 0.8, 0.6, 0.5], "fails"),
        ([0.8, 0.8, 0.8, 0.8, 0.8], "fails"),
        ([0.9, 0.8, 0.0, 0.6, 0.5], "inconclusive"),
    ],
)
def test_monotone(parameter, rates, verdict):
    assert only(f"monotone_{parameter}", sweep(parameter, rates)).verdict == verdict


def test_a_sweep_compares_the_seeds_that_all_values_have():
    records = sweep("p", [0.9, 0.8, 0.7, 0.6, 0.5])
    fewer = study([r for r in records.runs if (r.method.settings["p"], r.seed) != (0.2, 2)])
    assert only("monotone_p", fewer).seeds == (0, 1)
    assert findings("monotone_q", records) == []


@pytest.mark.parametrize(("first", "verdict"), [(90.0, "holds"), (50.0, "fails")])
def test_first_layer(first, verdict):
    layers = {"first": [100.0, first], "middle": [100.0, 40.0], "last": [100.0, 70.0]}
    runs = [run(s, method, scope, layers=layers, retrained_pqi=[0.3, 0.2]) for s in range(3)
            for method in (SAP, LOTTERY_TICKET) for scope in ("neuron", "layer", "global")]  # fmt: skip
    found = findings("first_layer", study(runs))
    assert [(f.scope, f.subject, f.verdict) for f in found] == [(s, SAP.text, verdict) for s in ("neuron", "global")]
    assert "fullest other (last)" in found[0].evidence


def tradeoffs(scope: str, better: float, sap_percent: float = 1.0) -> Study:
    """SAP prunes in other steps than the two others, and is better by so many points at every percentage."""
    percent, own = np.logspace(2, 0, 9), np.logspace(2, np.log10(sap_percent), 9)
    others = [run(s, m, scope, percent_remaining=percent, retrained_accuracy=70 + 10 * np.log10(percent) + 0.1 * s)
              for m in (LOTTERY_TICKET, ONE_SHOT) for s in range(3)]  # fmt: skip
    saps = [run(s, SAP, scope, percent_remaining=own, retrained_accuracy=70 + better + 10 * np.log10(own) + 0.1 * s)
            for s in range(3)]  # fmt: skip
    return study([*others, *saps])


@pytest.mark.parametrize(("scope", "sign"), [("neuron", 1), ("layer", 1), ("global", -1)])
def test_scopes_are_compared_at_equal_sparsity(scope, sign):
    claim = f"scope_{scope}"
    for better, verdict in [(2.0 * sign, "holds"), (-2.0 * sign, "fails")]:
        found = findings(claim, tradeoffs(scope, better, sap_percent=0.1))
        assert [f.subject for f in found] == [f"{SAP.text} against {m.text}" for m in (LOTTERY_TICKET, ONE_SHOT)]
        assert {f.verdict for f in found} == {verdict}
        assert found[0].effects[0].mean == pytest.approx(2.0 if verdict == "holds" else -2.0)
    assert findings(claim, tradeoffs("layer" if scope == "neuron" else "neuron", 2.0)) == []


def test_one_layer_is_not_pruned_layer_wise():
    """Its layer-wise runs are its global ones, which another claim is about."""
    only = {"only": [100.0, 50.0]}
    runs = [run(s, m, "layer", layers=only, percent_remaining=[100.0, 50.0], retrained_accuracy=[90.0, 80.0])
            for m in (SAP, LOTTERY_TICKET) for s in range(3)]  # fmt: skip
    assert findings("scope_layer", study(runs)) == []
    assert findings("scope_global", study(runs))


def test_scopes_without_common_percentages_are_not_compared():
    found = findings("scope_global", tradeoffs("global", 2.0, sap_percent=20.0))
    assert {f.verdict for f in found} == {Verdict.not_reached}
    assert "share no percentages below 5 %" in found[0].reason


def test_the_published_reading_is_told_where_the_other_scope_has_runs():
    """With the axes exchanged, each scope's accuracies stand at the other's percentages."""
    both = study([*tradeoffs("neuron", 2.0).runs, *tradeoffs("global", 2.0, sap_percent=0.01).runs])
    (found, _) = findings("scope_neuron", both)
    assert "SAP +2.00 points" in found.evidence
    assert "read as published" in found.evidence
    assert "read as published (running means, exchanged axes): +2.00" not in found.evidence


def test_every_method_that_prunes_is_a_subject_but_not_the_sweeps():
    methods = [SAP, SAP_1_2, ABLATIONS["p"].methods[0], paper_method("lottery_ticket", ratio=0.5)]
    found = findings("gini_alike", study(run(0, m, retrained_pqi=[1.0, 2], retrained_gini=[1.0, 2]) for m in methods))
    assert {f.subject for f in found} == {methods[0].text, methods[1].text, methods[3].text}


def effect(low: float, high: float) -> Effect:
    return Effect("e", "", (low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("effects", "questions", "verdict"),
    [
        ([effect(0.1, 0.2)], [], "holds"),
        ([effect(0.1, 0.2), effect(-0.2, -0.1)], [], "fails"),
        ([effect(0.1, 0.2), effect(-0.1, 0.1)], [], "inconclusive"),
        ([effect(0.1, 0.2)], ["open"], "inconclusive"),
        ([effect(-0.2, -0.1)], ["open"], "fails"),
        ([], [], "inconclusive"),
    ],
)
def test_judge(effects, questions, verdict):
    assert judge(effects, 4, questions)[0] == verdict
    assert judge(effects, 2, questions)[0] == Verdict.not_enough_seeds


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ([], "limit not reached"),
        ([effect(0.1, 0.2)], "limit not reached"),
        ([effect(-0.1, 0.3)], "inconclusive"),
        ([effect(-0.2, -0.1)], "fails"),
    ],
)
def test_a_limit_that_is_not_reached_is_no_matter_of_seeds(effects, verdict):
    assert judge(effects, 4, not_reached="too early")[0] == verdict
    assert judge(effects, 1, not_reached="too early")[0] in (verdict, "not enough seeds")


def test_an_interval_is_told_of_three_seeds():
    texts = [str(Effect.of("e", "points", np.array([1.0, 2.0, 3.0, 4.0][:seeds]))) for seeds in (2, 3)]
    assert texts == ["e: +1.5 points, wanted above 0", "e: +2 points [-0.484, +4.48], wanted above 0"]


def test_turns_of_seeds_that_differ_are_told():
    curves = [THREE_PHASES, THREE_PHASES, [*THREE_PHASES[:3], 0.19, *THREE_PHASES[4:]]]
    runs = [run(seed, retrained_pqi=y, retrained_accuracy=COLLAPSES) for seed, y in enumerate(curves)]
    assert "trough 0.200 at t=2, its seeds' at 2 to 3 (" in only("pqi_phases", study(runs)).evidence
