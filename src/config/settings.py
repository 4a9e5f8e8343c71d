"""From Hydra's configuration to checked settings, and the errors a user sees."""

import dataclasses
import difflib
from collections.abc import Iterator
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from src.config.schema import Config, FixedRatioConfig, SapConfig
from src.errors import UserError


def settings(config: DictConfig) -> Config:
    """Typed and checked settings. Raises UserError naming the key, its value, what is allowed and the fix."""
    if unknown := list(_unknown_keys(config)):
        key, known = unknown[0]
        near = difflib.get_close_matches(key.rsplit(".", 1)[-1], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
        raise UserError(f"unknown key {key}: {hint}")
    result = OmegaConf.to_object(config)
    assert isinstance(result, Config)
    check(result)
    return result


def settings_dict(config: Config) -> dict[str, Any]:
    """The settings as nested plain values."""
    return cast(dict[str, Any], OmegaConf.to_container(OmegaConf.structured(config), resolve=True, enum_to_str=True))


def check(config: Config) -> None:
    """Ranges and combinations that types cannot express."""
    prune, trainer, dataset = config.prune, config.trainer, config.dataset
    _require(prune.iterations >= 0, "prune.iterations", prune.iterations, "0 or more")
    if isinstance(prune, SapConfig):
        _require(prune.p > 0, "prune.p", prune.p, "greater than 0, as 0 < p < q", "prune.p=0.5")
        _require(prune.p < prune.q, "prune.p", prune.p, f"smaller than prune.q={prune.q:g}, as 0 < p < q")
        _require(prune.eta_r >= 0, "prune.eta_r", prune.eta_r, "0 or more", "prune.eta_r=0")
        _require(prune.gamma > 0, "prune.gamma", prune.gamma, "greater than 0", "prune.gamma=1")
        _require(0 < prune.beta < 1, "prune.beta", prune.beta, "between 0 and 1, exclusive", "prune.beta=0.9")
    if isinstance(prune, FixedRatioConfig):
        _require(0 < prune.ratio < 1, "prune.ratio", prune.ratio, "between 0 and 1, exclusive", "prune.ratio=0.2")
    _require(trainer.epochs >= 1, "trainer.epochs", trainer.epochs, "1 or more")
    _require(trainer.batch_size >= 1, "trainer.batch_size", trainer.batch_size, "1 or more")
    _require(trainer.lr > 0, "trainer.lr", trainer.lr, "greater than 0")
    _require(0 <= trainer.momentum < 1, "trainer.momentum", trainer.momentum, "at least 0 and below 1")
    _require(trainer.weight_decay >= 0, "trainer.weight_decay", trainer.weight_decay, "0 or more")
    _require(trainer.clip_norm > 0, "trainer.clip_norm", trainer.clip_norm, "greater than 0 (inf: no clipping)")
    _require(trainer.checkpoint_every >= 1, "trainer.checkpoint_every", trainer.checkpoint_every, "1 or more")
    _require(config.seed >= 0, "seed", config.seed, "0 or more")
    _require(config.threads is None or config.threads >= 1, "threads", config.threads, "null, or 1 or more")
    fraction = config.protocol.decision.validation_fraction
    _require(0 < fraction < 1, "protocol.decision.validation_fraction", fraction, "between 0 and 1, exclusive")
    for key, size in (("train_size", dataset.train_size), ("test_size", dataset.test_size)):
        _require(size is None or size >= 1, f"dataset.{key}", size, "null for all images, or 1 or more")
    modes = ("wandb", "offline", "none")
    _require(config.tracking.mode in modes, "tracking.mode", config.tracking.mode, f"one of {', '.join(modes)}")


def _require(holds: bool, key: str, value: object, allowed: str, example: str = "") -> None:
    if not holds:
        raise UserError(
            f"{key}={value} is not allowed: it must be {allowed}{f'; for example {example}' * bool(example)}"
        )


def _unknown_keys(node: DictConfig, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Keys outside the schema, which `+key=value` can add, with the known ones beside them."""
    schema = OmegaConf.get_type(node)
    known = [field.name for field in dataclasses.fields(schema)] if dataclasses.is_dataclass(schema) else []
    for key in map(str, node):
        name = f"{prefix}{key}"
        if known and key not in known:
            yield name, known
        elif not OmegaConf.is_missing(node, key) and isinstance(child := node._get_node(key), DictConfig):
            yield from _unknown_keys(child, f"{name}.")
