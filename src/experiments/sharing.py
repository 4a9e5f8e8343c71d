"""Which trainings of an experiment are one and the same (PROTOCOL 2.5), known before any is done."""

from collections.abc import Hashable, Iterator

from src.config.choices import DecisionCheckpoint, OneShotSource
from src.config.schema import Config, FixedRatioConfig, SapConfig
from src.experiments.jobs import Job
from src.store.digest import digest, settings_of

CAPPED = {("cifar10", "cnn"), ("cifar10", "resnet18")}
CAPPED_GAMMA, CAPPED_EPOCHS = 3.0, 200
"""Where SAP's gamma is expected to prune the largest fraction beta after iteration 0: gamma (1 - r/d) >= beta = 0.9
holds for SAP (p, q) = (0.5, 1) in global scope on these networks trained for 200 epochs (PROTOCOL 2.5)."""


def training_keys(job: Job) -> Iterator[Hashable]:
    """For each iteration of a run a key that equal trainings share.

    Iteration 0 depends on no method; iteration 1 on how iteration 0 is pruned; later ones are the run's own. The
    store shares by content and may find more.
    """
    for t in range(job.config.prune.iterations + 1):
        if t == 0:
            yield job.spec, 0
        elif t == 1:
            yield job.spec, 1, _first_pruning(job)
        else:
            yield job.identity, t


def _first_pruning(job: Job) -> str:
    """What makes the masks and buffers of iteration 1, the same training of iteration 0 given."""
    config, prune, protocol = job.config, job.config.prune, job.config.protocol
    shared = {"scope": prune.scope.value, "buffers": protocol.rewind.bn_buffers.value, "decides": _decides(config)}
    if isinstance(prune, FixedRatioConfig):
        return digest({**shared, "ratio": prune.ratio, "how": settings_of(protocol.lt_os)})
    if isinstance(prune, SapConfig):
        gamma = CAPPED_GAMMA if _is_capped(job, prune) else prune.gamma
        values = [prune.p, prune.q, prune.eta_r, gamma, prune.beta]
        return digest({**shared, "sap": values, "how": settings_of(protocol.sap)})
    return job.identity


def _decides(config: Config) -> str:
    """The checkpoint of iteration 0 that decides the first mask (PROTOCOL 2.4, A1, A2)."""
    last = config.protocol.decision.checkpoint == DecisionCheckpoint.last
    if config.prune.name == "one_shot" and config.protocol.os.source != OneShotSource.reference:
        return config.protocol.os.source.value
    return "last" if last else "best"


def _is_capped(job: Job, prune: SapConfig) -> bool:
    setting = (prune.p, prune.q, prune.eta_r, prune.beta, prune.scope.value) == (0.5, 1.0, 0.0, 0.9, "global")
    known = (job.spec.dataset, job.spec.model) in CAPPED and job.spec.epochs >= CAPPED_EPOCHS
    return setting and known and prune.gamma >= CAPPED_GAMMA
