"""The schema behind `conf/`, registered with Hydra.

Sections that hold a part (`_target_`) are open here: the part's own class is their schema, in `settings`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from src.config.choices import Compile, MasksKept, Precision, TrackingMode
from src.config.protocol import ProtocolConfig


@dataclass
class TrainerConfig:
    """One training: E epochs (PROTOCOL 3.1).

    lr: the schedule's largest learning rate; clip_norm: of the gradient's 2-norm, inf: no clipping; checkpoint_every:
    epochs between two checkpoints; channels_last, compile: means that leave the arithmetic what it is but for rounding.
    """

    epochs: int = 200
    batch_size: int = 250
    lr: float = 0.1
    clip_norm: float = 1.0
    checkpoint_every: int = 1
    precision: Precision = Precision.fp32
    channels_last: bool = False
    compile: Compile = Compile.none
    optimizer: Any = field(default_factory=dict)
    schedule: Any = field(default_factory=dict)


@dataclass
class TrackingConfig:
    mode: TrackingMode = TrackingMode.none
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
    """All settings of a run. Typed and checked, the sections of parts hold a DataSource, a Model and a Method.

    choices: the groups' choices that were made, by group; overrides: the words of the command line; config_dir: the
    user's own folder of choices. All three are filled in by Hydra's shell and are part of no identity.
    """

    dataset: Any = field(default_factory=dict)
    model: Any = field(default_factory=dict)
    prune: Any = field(default_factory=dict)
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
    choices: dict[str, str] = field(default_factory=dict)
    overrides: list[str] = field(default_factory=list)
    config_dir: str | None = None


OPEN = ("dataset", "model", "prune", "trainer.optimizer", "trainer.schedule")
"""Sections that hold a part."""


def register_schemas() -> None:
    """Put the schemas where `conf/` expects them; the group `schema` keeps them out of the user's choices."""
    store = ConfigStore.instance()
    main = OmegaConf.structured(Config)
    for key in OPEN:
        OmegaConf.set_struct(OmegaConf.select(main, key), False)
    store.store(group="schema", name="main", node=main, package="_global_")
