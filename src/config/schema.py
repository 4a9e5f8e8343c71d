"""The schema behind `conf/`: all settings, their types, defaults and limits, and what Hydra knows of them.

Hydra knows names and defaults only; `settings` checks the rest. The schema of a section that holds a part is the part's
own class.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from src.config.part import choice, setting
from src.config.protocol import ProtocolConfig


@dataclass
class TrainerConfig:
    """One training: E epochs (PROTOCOL 3.1).

    epochs: of one training; batch_size: images; lr: the schedule's largest learning rate; clip_norm: largest 2-norm of
    the gradient, inf: no clipping; checkpoint_every: the fewest epochs between two checkpoints; precision: of matrix
    products and convolutions, bf16 also of activations; channels_last: order of images in memory (rounding only);
    compile: the same for `graph`, on CUDA the whole step as one CUDA graph, and `compile`, with torch.compile as well;
    optimizer: trainer/optimizer=NAME; schedule: trainer/schedule=NAME.
    """

    epochs: int = setting(200, at_least=1)
    batch_size: int = setting(250, at_least=1)
    lr: float = setting(0.1, above=0)
    clip_norm: float = setting(1.0, above=0, at_most=math.inf)
    checkpoint_every: int = setting(1, at_least=1)
    precision: str = choice("fp32", "tf32", "bf16")
    channels_last: bool = False
    compile: str = choice("none", "graph", "compile")
    optimizer: Any = field(default_factory=dict)
    schedule: Any = field(default_factory=dict)


@dataclass
class TrackingConfig:
    """Weights & Biases: online where you are logged in, else offline; always offline; or not at all.

    mode: which of these; project: where runs go; entity: user or team, null: your own; artifact: when the final network
    and its masks are uploaded.
    """

    mode: str = choice("none", "offline", "wandb")
    project: str = "pq-index-sap"
    entity: str | None = None
    artifact: str = choice("online", "always", "never")


@dataclass
class EngineConfig:
    """How trainings are done; no setting here changes a result.

    max_members: most trainings that advance together in a stack; null: as many as fit the memory.
    """

    max_members: int | None = setting(None, at_least=1)


@dataclass
class RecordConfig:
    """What a run keeps beyond what figures and resuming need.

    masks: of all iterations, a byte per weight, a bit (`src.records.masks` reads both), or none; weights: of all
    iterations; networks: that of the last iteration, and the sparsest at no more than a point of accuracy lost;
    neurons: PQ Index and Gini of each; picture: curves.png.
    """

    masks: str = choice("full", "bits", "none")
    weights: bool = False
    networks: bool = True
    neurons: bool = False
    picture: bool = True


@dataclass
class Config:
    """All settings of a run. Typed and checked, the sections of parts hold a DataSource, a Model and a Method.

    experiment_name: the group in Weights & Biases; seed: of initial states, batches and augmentation; device: auto,
    cpu, cuda or cuda:N; threads: of one process on the CPU, null: all cores that it may use; init_from: file with the
    initial state, null: drawn from the seed; output_dir: folder of runs and trainings; accuracy_at: percent of the
    weights left at which a sweeper compares accuracies.

    Hydra's shell fills in choices: the groups' choices that were made, by group; overrides: the words of the command
    line; config_dir: the user's own folder of choices. These three are part of no identity.
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
    seed: int = setting(0, at_least=0)
    device: str = "auto"
    threads: int | None = setting(None, at_least=1, at_most=4096)
    init_from: str | None = None
    output_dir: str = "outputs"
    accuracy_at: float = setting(10.0, above=0, at_most=100)
    choices: dict[str, str] = field(default_factory=dict)
    overrides: list[str] = field(default_factory=list)
    config_dir: str | None = None


def register_schemas() -> None:
    """Put the defaults where `conf/` expects them; the group `schema` keeps them out of the user's choices.

    All sections are open, so that mistakes in them, wherever they are made, come to `settings`.
    """
    main = OmegaConf.create(asdict(Config()))
    for section in main.values():
        if isinstance(section, DictConfig):
            OmegaConf.set_struct(section, False)
    ConfigStore.instance().store(group="schema", name="main", node=main, package="_global_")
