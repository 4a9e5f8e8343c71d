"""The training loop that most repositories of this kind have, as a yardstick for `benchmarks.engine`.

A torchvision data set whose transforms decode and augment image by image, a DataLoader in the same process, masks as a
loop over parameters, and `.item()` in every step.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from src.data.batches import normalise
from src.data.dataset import Dataset
from src.training.spec import TrainingSpec

Masks = dict[str, Tensor]
Transform = Callable[[Any], Tensor]


class Grey(datasets.FashionMNIST):  # type: ignore[misc]
    """torchvision's data set on images [n, 1, H, W] at hand: a subset or synthetic ones go the same way."""

    def __init__(self, images: Tensor, labels: Tensor, transform: Transform) -> None:
        datasets.VisionDataset.__init__(self, "", transform=transform)
        self.data, self.targets = images[:, 0], labels


class Coloured(datasets.CIFAR10):  # type: ignore[misc]
    """The same of images [n, 3, H, W]."""

    def __init__(self, images: Tensor, labels: Tensor, transform: Transform) -> None:
        datasets.VisionDataset.__init__(self, "", transform=transform)
        self.data, self.targets = images.permute(0, 2, 3, 1).numpy(), labels.tolist()


class Conventional:
    """One epoch of one network, test pass included, as `src.training.loop` does it by other means."""

    def __init__(self, spec: TrainingSpec, dataset: Dataset, model: nn.Module, device: torch.device) -> None:
        self._spec, self._model, self._device = spec, model.to(device), device
        normalise = [transforms.ToTensor(), transforms.Normalize(dataset.mean, dataset.std)]
        self._images = len(dataset.test_labels)
        side = dataset.image_shape[1]
        flip = [transforms.RandomHorizontalFlip()] if dataset.flip else []
        crop = [transforms.RandomCrop(side, padding=4, padding_mode="reflect")] if dataset.crop else []
        kind = Grey if dataset.image_shape[0] == 1 else Coloured
        train = kind(dataset.train_images, dataset.train_labels, transforms.Compose([*flip, *crop, *normalise]))
        test = kind(dataset.test_images, dataset.test_labels, transforms.Compose(normalise))
        self._train: DataLoader[tuple[Tensor, Tensor]] = DataLoader(train, spec.batch_size, shuffle=spec.shuffle)
        self._test: DataLoader[tuple[Tensor, Tensor]] = DataLoader(test, spec.batch_size)

    def epoch(self, masks: Masks) -> float:
        """Train for an epoch under `masks`, test; the test accuracy in percent."""
        spec, model = self._spec, self._model
        settings = dataclasses.asdict(spec.optimizer)  # of Sgd, which are those of PyTorch's
        sgd = torch.optim.SGD(model.parameters(), spec.lr, **settings)
        model.train()
        total = correct = 0.0
        for x, y in self._train:
            x, y = x.to(self._device), y.to(self._device)
            sgd.zero_grad()
            logits = model(x)
            loss = cross_entropy(logits, y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), spec.clip_norm)
            for name, parameter in model.named_parameters():
                if name in masks and parameter.grad is not None:
                    parameter.grad.mul_(masks[name])
            sgd.step()
            total += loss.item() * len(y)
            correct += (logits.argmax(1) == y).sum().item()
        return self._accuracy()

    @torch.no_grad()
    def _accuracy(self) -> float:
        self._model.eval()
        total, correct = 0.0, 0
        for x, y in self._test:
            x, y = x.to(self._device), y.to(self._device)
            logits = self._model(x)
            total += cross_entropy(logits, y).item() * len(y)
            correct += (logits.argmax(1) == y).sum().item()
        return float(100 * correct / self._images)


class Compiled:
    """What PyTorch alone gives a careful user: images normalised once, in memory; the network and its loss compiled.

    One fused SGD step, nothing waits within an epoch. Raises whatever torch.compile does where no compiler is found.
    """

    def __init__(self, spec: TrainingSpec, dataset: Dataset, model: nn.Module, device: torch.device) -> None:
        self._spec, self._model, self._data = spec, model.to(device), dataset.to(device)
        self._loss = torch.compile(self._forward)
        self._images = normalise(self._data.train_images, dataset.mean, dataset.std)
        self._test = normalise(self._data.test_images, dataset.mean, dataset.std)

    def _forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logits = self._model(x)
        return cross_entropy(logits, y), (logits.argmax(1) == y).sum()

    def epoch(self, masks: Masks) -> float:
        """Train for an epoch under `masks`, without augmentation, test; the test accuracy in percent."""
        spec, model, data = self._spec, self._model, self._data
        sgd = torch.optim.SGD(model.parameters(), spec.lr, **dataclasses.asdict(spec.optimizer), fused=True)
        masked = [(p, masks[name]) for name, p in model.named_parameters() if name in masks]
        model.train()
        total = torch.zeros((), device=self._images.device)
        for chosen in torch.randperm(len(data.train_labels), device=total.device).split(spec.batch_size):
            sgd.zero_grad()
            loss, _ = self._loss(self._images[chosen], data.train_labels[chosen])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), spec.clip_norm)
            for parameter, mask in masked:
                assert parameter.grad is not None
                parameter.grad.mul_(mask)
            sgd.step()
            total += loss.detach() * len(chosen)
        model.eval()
        with torch.no_grad():
            parts = zip(self._test.split(spec.batch_size), data.test_labels.split(spec.batch_size), strict=True)
            correct = sum(self._loss(x, y)[1] for x, y in parts)
        return float(100 * correct / len(data.test_labels))
