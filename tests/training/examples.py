"""Small data, members and engines that the tests of training share."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from src.data import Dataset
from src.models import build_model, prunable_names
from src.requests import TrainRequest
from src.training.members import Member
from src.training.spec import TrainingSpec

CPU = torch.device("cpu")
CLASSES = 10


def patterns(train: int = 600, test: int = 400, noise: float = 40.0) -> Dataset:
    """8x8 images of ten random patterns under noise; linear models learn them, not perfectly."""
    generator = np.random.default_rng(0)
    pattern = generator.integers(60, 196, size=(CLASSES, 1, 8, 8))
    labels = np.arange(train + test) % CLASSES
    pixels = pattern[labels] + noise * generator.standard_normal((train + test, 1, 8, 8))
    images = torch.from_numpy(pixels.clip(0, 255).astype(np.uint8))
    target = torch.from_numpy(labels)
    parts = images[:train], target[:train], images[train:], target[train:]
    return Dataset("patterns", *parts, CLASSES, (0.5,), (0.25,), flip=True, crop=True)


def specification(model: str, **settings) -> TrainingSpec:
    values = {"dataset": "patterns", "epochs": 3, "batch_size": 100, "seed": 0, "lr": 0.05} | settings
    return TrainingSpec(model=model, **values)


def network(model: str, seed: int = 0) -> nn.Module:
    return build_model(model, (1, 8, 8), CLASSES, seed)


def initial_state(model: str, seed: int) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network(model, seed).state_dict().items()}


def member(spec: TrainingSpec, seed: int = 0, iteration: int = 0, alive: float = 1.0, state=None) -> Member:
    """A training of `seed` under a random mask that leaves the share `alive` of the weights."""
    template = network(spec.model, seed)
    generator = torch.Generator().manual_seed(100 * seed + iteration)
    masks = {
        name: torch.rand(template.state_dict()[name].shape, generator=generator) < alive
        for name in prunable_names(template)
    }
    buffers = {name: buffer.clone() for name, buffer in template.named_buffers()}
    request = TrainRequest(iteration, masks, buffers)
    return Member(replace(spec, seed=seed), initial_state(spec.model, seed), request, state)


def mixed_members(spec: TrainingSpec) -> list[Member]:
    """Two seeds, two iterations, several masks, not in the order of their batches; two members are alike."""
    return [
        member(spec, seed=1, iteration=2, alive=0.5),
        member(spec, seed=0),
        member(spec, seed=1),
        member(spec, seed=1, iteration=2, alive=0.1),
        member(spec, seed=0),
    ]


def distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """Largest difference of two states."""
    assert one.keys() == other.keys()
    return max((one[name].double() - other[name].double()).abs().max().item() for name in one)


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether two states are the same bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
