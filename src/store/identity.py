"""Identities: a hash over what a result depends on, and nothing else."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from src.requests import TrainRequest
from src.training.spec import TrainingSpec

ID_LENGTH = 32


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


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """Hash of tensors in their order: shapes, types and contents; names do not enter, booleans count as bits."""
    result = hashlib.sha256()
    for tensor in tensors.values():
        array = tensor.detach().cpu().contiguous().numpy()
        result.update(f"{array.dtype}{array.shape}".encode())
        result.update(np.packbits(array).tobytes() if tensor.dtype == torch.bool else array.tobytes())
    return result.hexdigest()[:ID_LENGTH]


def training_id(spec: TrainingSpec, request: TrainRequest) -> str:
    """Identity of a training: its settings, iteration, masks and the buffers that it starts from."""
    return digest(
        {
            "spec": settings_of(spec),
            "iteration": request.iteration,
            "masks": tensors_digest(request.masks),
            "buffers": tensors_digest(request.buffers),
        }
    )


def run_id(spec: TrainingSpec, prune: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    """Identity of a run: its trainings' settings, the pruning method and the protocol."""
    return digest({"spec": settings_of(spec), "prune": dict(prune), "protocol": dict(protocol)})
