"""A run as its settings describe it: what is trained, its identity, its name and its folder. Imports no PyTorch.

A sweep's plan and the status of thousands of runs are told from here, without starting any.
"""

import hashlib
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from src.config.part import safe_name
from src.config.schema import Config
from src.errors import UserError
from src.store.digest import codes, digest, settings_of, spec_digest
from src.training.spec import TrainingSpec

SHARED_PROTOCOL = ("decision", "eval", "rewind", "clip")
"""Sections of the protocol that every method's results depend on."""


class Run:
    """One trajectory; equal identities are the same results, whatever the runs are called.

    `error` is why it stopped, where it did. Raises UserError where a file that the settings name is not there.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.error: Exception | None = None

    @cached_property
    def spec(self) -> TrainingSpec:
        """What enters each of its trainings."""
        config = self.config
        trainer, protocol = config.trainer, config.protocol
        held_out = protocol.decision.checkpoint == "best_val"
        return TrainingSpec(
            seed=config.seed,
            epochs=trainer.epochs,
            batch_size=trainer.batch_size,
            lr=trainer.lr,
            clip_norm=trainer.clip_norm,
            optimizer=trainer.optimizer,
            schedule=trainer.schedule,
            precision=trainer.precision,
            clip_after_mask=protocol.clip.when == "after_mask",
            validation_fraction=protocol.decision.validation_fraction if held_out else None,
            shuffle=config.dataset.shuffle,
            augment=config.dataset.augment,
            data=data_digest(config),
            model=digest(settings_of(config.model)),
        )

    @cached_property
    def spec_digest(self) -> str:
        """Hash of the trainings' settings; the store keeps it with each training."""
        return spec_digest(self.spec)

    @cached_property
    def identity(self) -> str:
        """Hash of all that its results depend on; device, paths, tracking, progress and names do not enter."""
        config, method = self.config, self.config.prune
        sections = (*SHARED_PROTOCOL, *method.protocol)
        return digest(
            {
                "spec": self.spec_digest,
                "initial": self._initial,
                "prune": settings_of(method) if method.prunings else method.kind(),
                "iterations": method.prunings,
                "protocol": {section: settings_of(getattr(config.protocol, section)) for section in sections},
            }
        )

    @cached_property
    def digests(self) -> dict[str, str]:
        """What the identity says of data and code, the same for all seeds: by it readers keep runs apart."""
        method = self.config.prune
        return {
            "data": self.spec.data,
            "model": digest([self.spec.model, self._initial]),
            "trainer": spec_digest(replace(self.spec, seed=0, data="", model="")),
            "method": digest(codes(method) if method.prunings else method.kind()),
        }

    @cached_property
    def _initial(self) -> str | None:
        return _file_digest(self.config.init_from)

    @property
    def iterations(self) -> int:
        """T, the number of prunings; there are T + 1 trainings."""
        return int(self.config.prune.prunings)

    @cached_property
    def name(self) -> str:
        """What it is, and the first eight digits of its identity; the name of its folder."""
        config = self.config
        method = config.prune
        words = (config.dataset.short, config.model.short, f"T{self.iterations}", method.scope, method.short)
        return f"{safe_name('-'.join((*words, f'seed{config.seed}')))[:200]}-{self.identity[:8]}"

    @property
    def folder(self) -> Path:
        """Where its records are, or will be."""
        return self.output_dir / "runs" / self.name

    @property
    def output_dir(self) -> Path:
        return Path(self.config.output_dir)

    @property
    def setting(self) -> tuple[str, str, int | None]:
        """What the time of an epoch depends on: data set, model, number of training images (None: all)."""
        return self.config.dataset.short, self.config.model.short, self.config.dataset.train_size

    def summary(self) -> dict[str, Any]:
        """What `run.json` tells of it, for readers that know no classes."""
        config, method = self.config, self.config.prune
        return {
            "dataset": config.dataset.short,
            "model": config.model.short,
            "method": {"kind": method.kind(), "short": method.short, "label": method.label},
            "scope": method.scope,
            "seed": config.seed,
            "spec": self.spec_digest,
            "digests": self.digests,
            "experiment": config.experiment_name,
            "choices": dict(config.choices),
            "overrides": list(config.overrides),
            "config_dir": config.config_dir,
        }


def data_digest(config: Config) -> str:
    """What is trained and tested on: images and labels as decoded, how many, how they are normalised and augmented."""
    source = config.dataset
    values = (source.statistics, source.mean, source.std, source.true_mean, source.true_std, source.flip, source.crop)
    return digest([source.content_digest(), source.train_size, source.test_size, *values])


def _file_digest(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        if not Path(path).is_file():
            raise UserError(f"init_from={path}: there is no such file; give a .safetensors or .npz file")
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError as error:
        raise UserError(f"init_from={path} cannot be read ({error}): give a .safetensors or .npz file") from error
