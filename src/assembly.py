"""What settings mean: from a checked configuration to the parts that run."""

from functools import partial
from typing import Literal

import torch

from src.config.choices import CountArithmetic, DecisionCheckpoint, NeuronGroup, OneShotSource, RatioCount
from src.config.schema import Config, FixedRatioConfig, SapConfig
from src.errors import UserError
from src.pruning import GROUPINGS, Pruner, fixed_ratio_amount, sap_amount
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
