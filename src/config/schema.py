"""Typed settings: the schema behind `conf/`, registered with Hydra."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from src.config.choices import (
    BatchNormBuffers,
    Checkpoint,
    ClipWhen,
    Compile,
    CountArithmetic,
    DecisionCheckpoint,
    MasksKept,
    NeuronGroup,
    OneShotSource,
    Precision,
    RatioCount,
    Scope,
    Statistics,
)


@dataclass
class DatasetConfig:
    name: str = MISSING
    root: str = "data"
    train_size: int | None = None
    test_size: int | None = None
    shuffle: bool = True
    augment: bool = True
    statistics: Statistics = Statistics.reference
    batch_size: int = 250


@dataclass
class ModelConfig:
    name: str = MISSING
    prune_iterations: int = MISSING


@dataclass
class PruneConfig:
    """Shared by all methods; `iterations` is the paper's T."""

    name: str = MISSING
    scope: Scope = Scope["global"]
    iterations: int = MISSING


@dataclass
class SapConfig(PruneConfig):
    p: float = 0.5
    q: float = 1.0
    eta_r: float = 0.0
    gamma: float = 1.0
    beta: float = 0.9


@dataclass
class FixedRatioConfig(PruneConfig):
    ratio: float = 0.2


@dataclass
class TrainerConfig:
    """One training: E epochs of SGD with cosine annealing (PROTOCOL 3.1)."""

    name: str = MISSING
    epochs: int = MISSING
    batch_size: int = MISSING
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    nesterov: bool = True
    clip_norm: float = 1.0
    train_size: int | None = None
    test_size: int | None = None
    checkpoint_every: int = 1
    precision: Precision = Precision.fp32
    channels_last: bool = False
    compile: Compile = Compile.none


@dataclass
class DecisionConfig:
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
    """The authors' decisions A1-A10 of PROTOCOL 7.A; defaults are theirs."""

    name: str = "reference"
    decision: DecisionConfig = field(default_factory=DecisionConfig)
    os: OneShotProtocol = field(default_factory=OneShotProtocol)
    eval: EvalProtocol = field(default_factory=EvalProtocol)
    rewind: RewindProtocol = field(default_factory=RewindProtocol)
    clip: ClipProtocol = field(default_factory=ClipProtocol)
    lt_os: FixedRatioProtocol = field(default_factory=FixedRatioProtocol)
    sap: SapProtocol = field(default_factory=SapProtocol)


@dataclass
class TrackingConfig:
    mode: str = "none"
    project: str = "pq-index-sap"
    entity: str | None = None


@dataclass
class EngineConfig:
    """How trainings are done; no setting here changes a result.

    max_members: most trainings that advance together in a stack; null: as many as fit the memory.
    """

    max_members: int | None = None


@dataclass
class RecordConfig:
    """What a run keeps beyond what figures and resuming need."""

    masks: MasksKept = MasksKept.full
    weights: bool = False
    neurons: bool = False


@dataclass
class Config:
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    prune: PruneConfig = field(default_factory=PruneConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    protocol: ProtocolConfig = field(default_factory=ProtocolConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    record: RecordConfig = field(default_factory=RecordConfig)
    experiment_name: str | None = None
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    init_from: str | None = None
    output_dir: str = "outputs"


PRUNE_SCHEMAS: dict[str, type[PruneConfig]] = {
    "sap": SapConfig,
    "lottery_ticket": FixedRatioConfig,
    "one_shot": FixedRatioConfig,
    "dense": PruneConfig,
}


def register_schemas() -> None:
    """Put the schemas where `conf/` expects them; the group `schema` keeps them out of the user's choices."""
    store = ConfigStore.instance()
    store.store(group="schema", name="main", node=Config, package="_global_")
    for name, schema in PRUNE_SCHEMAS.items():
        store.store(group="schema/prune", name=name, node=schema)
    groups: dict[str, Any] = {
        "dataset": DatasetConfig,
        "trainer": TrainerConfig,
        "protocol": ProtocolConfig,
        "tracking": TrackingConfig,
    }
    for group, node in groups.items():
        store.store(group=f"schema/{group}", name="main", node=node)
