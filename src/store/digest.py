"""Identities: hashes over what a result depends on, and nothing else. Imports no PyTorch."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from src.config.code import LENGTH, code_digest
from src.config.part import Part, default_of, plain
from src.training.spec import ENGINE_VERSION, TrainingSpec

if TYPE_CHECKING:
    from torch import Tensor

    from src.messages import TrainRequest


def digest(value: object) -> str:
    """Hash of a JSON value, in hexadecimal; the order of keys does not enter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=plain)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def settings_of(value: Any) -> dict[str, Any]:
    """A dataclass's fields without those at their default: a new setting at its neutral value changes no hash.

    A part is its code's digest and its settings; of these, fields that enter no identity are left out.
    """
    settings: dict[str, Any] = {"code": code_digest(type(value))} if isinstance(value, Part) else {}
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        if not field.metadata.get("identity", True):
            continue
        if isinstance(content, Part) or content != default_of(field):
            settings[field.name] = settings_of(content) if dataclasses.is_dataclass(content) else content
    return settings


def codes(part: Part) -> list[str]:
    """Digests of the code of a part and of the parts within it, whatever their settings."""
    inner = (getattr(part, field.name) for field in dataclasses.fields(part))
    return [code_digest(type(part)), *(code for value in inner if isinstance(value, Part) for code in codes(value))]


def tensors_digest(tensors: "Mapping[str, Tensor]") -> str:
    """Hash of tensors in their order: shapes, types and contents; names do not enter, booleans count as bits."""
    import numpy as np
    import torch

    result = hashlib.sha256()
    for tensor in tensors.values():
        array = tensor.detach().cpu().contiguous().numpy()
        result.update(f"{array.dtype}{array.shape}".encode())
        result.update(np.packbits(array).tobytes() if tensor.dtype == torch.bool else array.tobytes())
    return result.hexdigest()[:LENGTH]


def spec_digest(spec: TrainingSpec) -> str:
    """Hash of what all trainings of a run have in common."""
    return digest({"engine": ENGINE_VERSION, **settings_of(spec)})


def training_id(spec: TrainingSpec, request: "TrainRequest") -> str:
    """Identity of a training: its settings, the code of its parts, data, iteration, masks, and where it starts."""
    return digest(
        {
            "spec": spec_digest(spec),
            "iteration": request.iteration,
            "epochs": [request.first_epoch, request.until],
            "masks": tensors_digest(request.masks),
            "start": tensors_digest(request.start),
        }
    )
