"""The experiments are the sweeps of PROTOCOL 5, run for run."""

from functools import cache

import pytest

from src.sweeps.jobs import Job, jobs_of
from src.sweeps.standing import Work, standing, work

# PROTOCOL 5.1: (scope, mode); our names of modes: sap-p-q-eta_r-gamma, lt-P, os-P
SAP, METHODS = ["sap-0.5-1-0-1", "sap-1-2-0-1"], ["sap-0.5-1-0-1", "sap-1-2-0-1", "lt-0.2", "os-0.2"]
BASE = {("global", mode) for mode in METHODS}
SCOPE = {(scope, mode) for scope in ("neuron", "layer") for mode in METHODS}
P = {("global", f"sap-{p}-1-0-1") for p in (0.2, 0.4, 0.6, 0.8)}
Q = {("global", f"sap-1-{q}-0-1") for q in (1.2, 1.4, 1.6, 1.8)}
ETA = {("global", f"sap-0.5-1-{eta}-1") for eta in (0.001, 0.01, 0.1, 1)}
GAMMA = {("global", f"sap-0.5-1-0-{gamma}") for gamma in (3, 5, 7, 9)}
FIRST, SECOND = {("global", SAP[0])}, {("global", SAP[1])}
MAIN = BASE | SCOPE | P | Q | ETA | GAMMA
SEEDS = (0, 1, 2, 3)

SWEEPS = {
    "fig2": (["cifar10"], ["cnn"], BASE),
    "fig3": (["cifar10"], ["cnn"], BASE | SCOPE),
    "fig4": (["cifar10"], ["cnn"], FIRST | P | SECOND | Q),
    "fig5": (["cifar10"], ["cnn"], FIRST | ETA | GAMMA),
    "main_text": (["cifar10"], ["cnn"], MAIN),
    "appendix_cifar10": (["cifar10"], ["linear", "mlp", "resnet18"], MAIN),
    "appendix_fashion_mnist": (["fashion_mnist"], ["linear", "mlp", "cnn", "resnet18"], BASE | SCOPE),
    "rebuttal_cifar100": (["cifar100"], ["wresnet28x8"], BASE | SCOPE),
    "rebuttal_tiny_imagenet": (["tiny_imagenet"], ["resnet50"], BASE | SCOPE),
}
T = {"linear": 30, "mlp": 30, "cnn": 30, "resnet18": 15, "resnet50": 15, "wresnet28x8": 15}


@cache
def jobs(*words: str) -> list[Job]:
    found = jobs_of(words)
    assert all(isinstance(job, Job) for job in found)
    return found


def describe(job: Job) -> tuple:
    config = job.run.config
    run = (config.dataset.short, config.model.short, job.run.iterations, config.seed)
    return (*run, config.prune.scope, config.prune.short)


UNIONS = {
    "submission": ("main_text", "appendix_cifar10", "appendix_fashion_mnist"),
    "paper": ("submission", "rebuttal_cifar100", "rebuttal_tiny_imagenet"),
}


@pytest.mark.parametrize("experiment", UNIONS)
def test_unions(experiment):
    """One command for all of a block's experiments."""
    parts = [describe(job) for part in UNIONS[experiment] for job in jobs(f"experiment={part}")]
    assert len(parts) == len(set(parts))
    assert sorted(describe(job) for job in jobs(f"experiment={experiment}")) == sorted(parts)


@pytest.mark.parametrize("experiment", SWEEPS)
def test_runs(experiment):
    datasets, models, settings = SWEEPS[experiment]
    expected = {
        (dataset, model, T[model], seed, *setting)
        for dataset in datasets
        for model in models
        for seed in SEEDS
        for setting in settings
    }
    found = [describe(job) for job in jobs(f"experiment={experiment}")]
    assert len(found) == len(set(found))
    assert set(found) == expected


def epochs(experiment: str) -> int:
    """Of all runs, before sharing, at the paper's 200 an iteration."""
    found = jobs(f"experiment={experiment}")
    assert {job.run.config.trainer.epochs for job in found} == {200}
    return sum((job.run.iterations + 1) * 200 for job in found)


def needed(*words: str) -> Work:
    return work([standing(job.run) for job in jobs(*words)], from_start=True)


def test_counts_of_the_blocks():
    """PROTOCOL 5.2 and 5.3."""
    assert [len(jobs(f"experiment={name}")) for name in ("main_text", "submission", "paper")] == [112, 640, 736]
    assert (epochs("main_text"), epochs("submission"), epochs("paper")) == (694_400, 3_488_000, 3_795_200)


def test_trainings_of_the_main_text_after_sharing():
    """PROTOCOL 5.3: 835 of 868 a seed. Certain from the settings is one iteration 0 for all 28 runs: 841.

    The other six are equal by content, and found when they are asked for: iteration 1 of lottery ticket and one-shot
    in three scopes, and of the gammas that prune the largest fraction.
    """
    whole = needed("experiment=main_text")
    assert (whole.iterations, len(whole.trainings)) == (4 * 868, 4 * 841)
    assert whole.epochs == {("cifar10", "cnn", None): 4 * 841 * 200}
    assert len(needed("experiment=main_text", "seed=2").trainings) == 841


def test_trainer_seeds_and_iterations_are_independent():
    found = jobs("experiment=fig3", "trainer=smoke", "seed=7,8", "prune.iterations=2", "model=mlp")
    assert len(found) == 12 * 2
    configs = [job.run.config for job in found]
    assert {(config.choices["trainer"], config.prune.iterations) for config in configs} == {("smoke", 2)}
    assert {(config.dataset.short, config.model.short) for config in configs} == {("cifar10", "mlp")}
    assert {config.seed for config in configs} == {7, 8}


def test_only_the_quickstart_is_quick():
    assert {job.run.config.trainer.epochs for job in jobs("experiment=quickstart")} == {3}
    assert {job.run.config.trainer.epochs for job in jobs("experiment=quickstart", "trainer=paper")} == {200}
