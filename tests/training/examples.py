"""Small networks, data, members and engines that the tests of training share."""

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from src.data.dataset import Dataset
from src.messages import TrainRequest
from src.training.loop import SoloEngine
from src.training.optimizers import Sgd
from src.training.spec import TrainingSpec
from src.training.stacked import StackedEngine
from src.training.state import Member

CPU = torch.device("cpu")
CLASSES = 10
SHAPE = (1, 8, 8)


class Perceptron(nn.Module):
    """Linear layers with an activation in between; none hidden: logistic regression."""

    def __init__(self, *hidden: int, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = math.prod(SHAPE)
        for width in hidden:
            layers += [nn.Linear(inputs, width), activation()]
            inputs = width
        self.blocks = nn.Sequential(*layers)
        self.linear = nn.Linear(inputs, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.blocks(x.flatten(1)))


class Cnn(nn.Module):
    """Two convolutions with BatchNorm; pooled down to `side` x `side`, one pixel after the second by default."""

    def __init__(self, channels: int = 1, side: int = 1) -> None:
        super().__init__()
        self.side = side
        self.blocks = nn.Sequential(
            nn.Conv2d(channels, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(side),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
        )
        self.linear = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.blocks(x).flatten(1))


NETWORKS = {
    "linear": Perceptron,
    "mlp": lambda: Perceptron(128, 256),
    "cnn": lambda: Cnn(side=4),
}


def patterns(train: int = 600, test: int = 400, noise: float = 40.0) -> Dataset:
    """8x8 images of ten random patterns under noise; linear models learn them, not perfectly."""
    generator = np.random.default_rng(0)
    pattern = generator.integers(60, 196, size=(CLASSES, *SHAPE))
    labels = np.arange(train + test) % CLASSES
    pixels = pattern[labels] + noise * generator.standard_normal((train + test, *SHAPE))
    images = torch.from_numpy(pixels.clip(0, 255).astype(np.uint8))
    target = torch.from_numpy(labels)
    parts = images[:train], target[:train], images[train:], target[train:]
    return Dataset(*parts, CLASSES, "patterns", (0.5,), (0.25,), flip=True, crop=True)


def specification(model: str, **settings) -> TrainingSpec:
    """Settings of a training; those of SGD can stand among them. The model's name stands for its digest."""
    sgd = {key: settings.pop(key) for key in ("momentum", "weight_decay", "nesterov") if key in settings}
    values = {"seed": 0, "epochs": 3, "batch_size": 100, "lr": 0.05, "optimizer": Sgd(**sgd)} | settings
    return TrainingSpec(model=model, **values)


def network(model: str, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[model]()


def solo(spec: TrainingSpec, dataset: Dataset | None = None, *backend) -> SoloEngine:
    return SoloEngine(spec, dataset or patterns(), network(spec.model), CPU, *backend)


def stacked(spec: TrainingSpec, dataset: Dataset | None = None, *backend, max_members=None) -> StackedEngine:
    return StackedEngine(solo(spec, dataset, *backend), max_members)


def initial_state(model: str, seed: int) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network(model, seed).state_dict().items()}


def member(spec: TrainingSpec, seed: int = 0, iteration: int = 0, alive: float = 1.0, checkpoint=None) -> Member:
    """A training of `seed` under a random mask that leaves the share `alive` of the weights."""
    start = initial_state(spec.model, seed)
    generator = torch.Generator().manual_seed(100 * seed + iteration)
    masks = {
        name: torch.rand(tensor.shape, generator=generator) < alive
        for name, tensor in start.items()
        if name.endswith("weight") and tensor.ndim > 1
    }
    return Member(replace(spec, seed=seed), TrainRequest(iteration, masks, start), checkpoint)


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
