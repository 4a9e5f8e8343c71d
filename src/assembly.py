"""What settings mean: from a checked configuration to the parts that run."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from src.config import (
    Config,
    CountArithmetic,
    DecisionCheckpoint,
    FixedRatioConfig,
    NeuronGroup,
    OneShotSource,
    RatioCount,
    SapConfig,
)
from src.errors import UserError
from src.pruning import GROUPINGS, Pruner, fixed_ratio_amount, sap_amount
from src.store.identity import run_id, settings_of
from src.training.spec import TrainingSpec
from src.trajectory import Plan


def build_pruner(config: Config) -> Pruner | None:
    """The pruning method; None for `dense`. A new method is one more branch: a grouping and an amount."""
    prune, protocol = config.prune, config.protocol
    scope = prune.scope.value
    if isinstance(prune, SapConfig):
        amount = partial(
            sap_amount,
            p=prune.p,
            q=prune.q,
            eta_r=prune.eta_r,
            gamma=prune.gamma,
            beta=prune.beta,
            exact=protocol.sap.count_arithmetic == CountArithmetic.exact,
            ceil=protocol.sap.ceil,
        )
        return Pruner(GROUPINGS[scope], amount)
    if isinstance(prune, FixedRatioConfig):
        if scope == "neuron" and protocol.lt_os.neuron_group == NeuronGroup.dim1:
            scope = "neuron_dim1"
        floor = protocol.lt_os.count == RatioCount.floor
        ratio_amount = partial(fixed_ratio_amount, ratio=prune.ratio, floor=floor)
        return Pruner(GROUPINGS[scope], ratio_amount, one_shot=prune.name == "one_shot")
    return None


def build_plan(config: Config) -> Plan:
    """The trajectory's plan under the configured protocol."""
    protocol = config.protocol
    decides = _checkpoint("last" if protocol.decision.checkpoint == DecisionCheckpoint.last else "best")
    first = later = decides
    match protocol.os.source:
        case OneShotSource.reference:
            later = "last"
        case OneShotSource.last:
            first = later = "last"
        case OneShotSource.best:
            first = later = "best"
    return Plan(
        config.prune.iterations,
        build_pruner(config),
        decides=first if config.prune.name == "one_shot" else decides,
        one_shot_decides=later,
        evaluated=_checkpoint(protocol.eval.checkpoint.value),
        evaluated_last=_checkpoint(
            "best" if protocol.eval.checkpoint.value == "best" else protocol.eval.final_iteration.value
        ),
        reset_buffers=protocol.rewind.bn_buffers.value == "reset",
        measure_neurons=config.record.neurons,
    )


def _checkpoint(name: str) -> Literal["best", "last"]:
    return "best" if name == "best" else "last"


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


def choose_device(name: str) -> torch.device:
    """`auto`: CUDA where there is one, else the CPU. Raises UserError where the device is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
        raise UserError(f"device={name} is not allowed: it must be auto, cpu, cuda or cuda:N")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"device={name}: PyTorch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices here; "
            "use device=cpu, or install a driver and a PyTorch build that fit each other"
        )
    return torch.device(name)


def _file_digest(path: str | None) -> str | None:
    if path is None:
        return None
    if not Path(path).is_file():
        raise UserError(f"init_from={path}: there is no such file; give a .safetensors or .npz file")
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]
