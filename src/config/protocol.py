"""The protocol: where the authors' code and the paper, or good practice, differ (PROTOCOL 7.A); defaults are theirs."""

from dataclasses import dataclass, field

from src.config.choices import (
    BatchNormBuffers,
    Checkpoint,
    ClipWhen,
    CountArithmetic,
    DecisionCheckpoint,
    NeuronGroup,
    OneShotSource,
    RatioCount,
)


@dataclass
class DecisionProtocol:
    checkpoint: DecisionCheckpoint = DecisionCheckpoint.best_test
    validation_fraction: float = 0.1


@dataclass
class OneShotProtocol:
    source: OneShotSource = OneShotSource.reference


@dataclass
class EvalProtocol:
    checkpoint: Checkpoint = Checkpoint.last
    final_iteration: Checkpoint = Checkpoint.last


@dataclass
class RewindProtocol:
    bn_buffers: BatchNormBuffers = BatchNormBuffers.keep


@dataclass
class ClipProtocol:
    when: ClipWhen = ClipWhen.before_mask


@dataclass
class FixedRatioProtocol:
    neuron_group: NeuronGroup = NeuronGroup.dim1
    count: RatioCount = RatioCount.quantile


@dataclass
class SapProtocol:
    count_arithmetic: CountArithmetic = CountArithmetic.float32
    ceil: bool = True


@dataclass
class ProtocolConfig:
    """The decisions A1 to A10."""

    decision: DecisionProtocol = field(default_factory=DecisionProtocol)
    one_shot: OneShotProtocol = field(default_factory=OneShotProtocol)
    eval: EvalProtocol = field(default_factory=EvalProtocol)
    rewind: RewindProtocol = field(default_factory=RewindProtocol)
    clip: ClipProtocol = field(default_factory=ClipProtocol)
    fixed_ratio: FixedRatioProtocol = field(default_factory=FixedRatioProtocol)
    sap: SapProtocol = field(default_factory=SapProtocol)
