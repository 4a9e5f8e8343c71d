"""Readable names of runs."""

from src.config.schema import Config, FixedRatioConfig, PruneConfig, SapConfig


def method_name(prune: PruneConfig) -> str:
    """The method with its hyper-parameters, as in `sap-0.5-1-0-1` (p, q, eta_r, gamma) or `lt-0.2` (ratio P)."""
    if isinstance(prune, SapConfig):
        return "-".join(["sap", *(f"{x:g}" for x in (prune.p, prune.q, prune.eta_r, prune.gamma))])
    if isinstance(prune, FixedRatioConfig):
        return f"{ {'lottery_ticket': 'lt', 'one_shot': 'os'}.get(prune.name, prune.name) }-{prune.ratio:g}"
    return prune.name


def run_name(config: Config, identity: str) -> str:
    """Folder name of a run: what it is, and the first eight digits of its identity."""
    parts = [
        config.dataset.name,
        config.model.name,
        f"T{config.prune.iterations}",
        config.prune.scope.value,
        method_name(config.prune),
        f"seed{config.seed}",
        identity[:8],
    ]
    return "-".join(parts)
