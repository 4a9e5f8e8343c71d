"""What a run's results depend on. Imports no PyTorch: a sweep's plan and its status answer at once."""

import hashlib
from pathlib import Path
from typing import Any

from src.config.choices import DecisionCheckpoint
from src.config.schema import Config
from src.errors import UserError
from src.store.digest import run_id, settings_of
from src.training.spec import TrainingSpec


def build_spec(config: Config) -> TrainingSpec:
    """The settings that enter a training's result and its identity."""
    dataset, trainer, protocol = config.dataset, config.trainer, config.protocol
    held_out = protocol.decision.checkpoint == DecisionCheckpoint.best_val
    return TrainingSpec(
        dataset=dataset.name,
        model=config.model.name,
        epochs=trainer.epochs,
        batch_size=trainer.batch_size,
        seed=config.seed,
        lr=trainer.lr,
        momentum=trainer.momentum,
        weight_decay=trainer.weight_decay,
        nesterov=trainer.nesterov,
        clip_norm=trainer.clip_norm,
        clip_after_mask=protocol.clip.when.value == "after_mask",
        train_size=dataset.train_size,
        test_size=dataset.test_size,
        shuffle=dataset.shuffle,
        augment=dataset.augment,
        statistics=dataset.statistics.value,
        validation_fraction=protocol.decision.validation_fraction if held_out else None,
        initial_state=_file_digest(config.init_from),
        precision=trainer.precision.value,
    )


RELEVANT_PROTOCOL = {
    "sap": ("decision", "eval", "rewind", "clip", "sap"),
    "lottery_ticket": ("decision", "eval", "rewind", "clip", "lt_os"),
    "one_shot": ("decision", "eval", "rewind", "clip", "lt_os", "os"),
    "dense": ("decision", "eval", "clip"),
}
"""Parts of the protocol that a method's results depend on; all of them for a method that is not listed."""


def build_run_id(config: Config, spec: TrainingSpec) -> str:
    """Identity of the run; device, paths, tracking and progress do not enter."""
    protocol: dict[str, Any] = settings_of(config.protocol)
    protocol.pop("name", None)
    relevant = RELEVANT_PROTOCOL.get(config.prune.name, tuple(protocol))
    return run_id(spec, settings_of(config.prune), {key: protocol[key] for key in relevant if key in protocol})


def _file_digest(path: str | None) -> str | None:
    if path is None:
        return None
    if not Path(path).is_file():
        raise UserError(f"init_from={path}: there is no such file; give a .safetensors or .npz file")
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]
