"""Identities: a hash over what a result depends on, and nothing else."""

import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from src.requests import TrainRequest
from src.store.digest import ID_LENGTH, digest, settings_of
from src.training.spec import TrainingSpec


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
