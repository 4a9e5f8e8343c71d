"""What `conf/` says of choices and experiments, for commands and for finding an experiment's records."""

from functools import cache
from pathlib import Path
from typing import Any

CONF = Path(__file__).resolve().parents[3] / "conf"


@cache
def composed(choices: tuple[str, ...]) -> dict[str, Any]:
    """The configuration that choices compose to, with what they sweep under `sweep`; empty for unknown choices."""
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf

    from src.config.schema import register_schemas

    register_schemas()
    try:
        with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
            config = compose("config", overrides=list(choices), return_hydra_config=True)
    except HydraException:
        return {}
    sweep = dict(config.hydra.sweeper.get("params") or {})
    del config.hydra
    values: Any = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    return {**values, "sweep": sweep}


@cache
def networks(experiment: str) -> frozenset[tuple[str, str]]:
    """Data sets and models that `conf/experiment/<experiment>.yaml` sweeps; empty where there is no such file."""
    if not (CONF / "experiment" / f"{experiment}.yaml").is_file():
        return frozenset()
    chosen = (f"experiment={experiment}",)
    sweep = composed(chosen).get("sweep", {})
    found = set()
    for model in str(sweep.get("model", "")).split(","):
        own = composed((*chosen, *[f"model={model}"] * bool(model)))
        datasets = str(sweep.get("dataset", own["dataset"]["name"])).split(",")
        found |= {(dataset.strip(), str(own["model"]["name"])) for dataset in datasets}
    return frozenset(found)
