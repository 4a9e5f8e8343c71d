"""Hashes of settings."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from src.training.spec import TrainingSpec

ID_LENGTH = 32
"""Hexadecimal digits of an identity."""


def digest(value: object) -> str:
    """Hash of a JSON value, in hexadecimal; the order of keys does not enter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def settings_of(value: Any) -> dict[str, Any]:
    """A dataclass's fields without those at their default: a new setting at its neutral value changes no hash."""
    settings: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        if dataclasses.is_dataclass(content):
            content = settings_of(content)
            if content:
                settings[field.name] = content
        elif field.default is dataclasses.MISSING or content != field.default:
            settings[field.name] = content
    return settings


def run_id(spec: TrainingSpec, prune: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """Identity of a run: its trainings' settings, the pruning method and the protocol."""
    return digest({"spec": settings_of(spec), "prune": dict(prune), "protocol": dict(protocol)})
