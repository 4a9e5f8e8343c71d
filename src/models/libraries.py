"""Models of other libraries, by their names there, without pretrained weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from src.config.part import safe_name, setting
from src.errors import UserError
from src.models.model import ImageShape, Model

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Torchvision(Model):
    """A classifier of torchvision, as `resnet18` with the ImageNet stem whatever the size of the images.

    Initialised by torchvision; the paper's resnet50 is this one, with post-activation bottlenecks (v1.5: stride on the
    3x3), convolutions initialised as elsewhere here, and the classifier's bias at PyTorch's default (PROTOCOL A18).

    name: of a classifier in torchvision.models.
    """

    name: str = setting("resnet18")

    @property
    def short(self) -> str:
        return "resnet50" if self.name == "resnet50" else safe_name(f"torchvision_{self.name}")

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        if image_shape[0] != 3:
            raise UserError(
                f"model={self.short} takes images of 3 channels, these have {image_shape[0]}; "
                "use model=resnet18, or dataset=cifar10, cifar100, tiny_imagenet or svhn"
            )
        from torchvision import models  # takes seconds to import

        _check_name(self.name, models.list_models(module=models), "torchvision")
        options = {"aux_logits": False, "init_weights": True} if self.name in ("googlenet", "inception_v3") else {}
        network: nn.Module = models.get_model(self.name, weights=None, num_classes=classes, **options)
        return network


@dataclass(frozen=True)
class Timm(Model):
    """A classifier of timm, the library of PyTorch image models, where that is installed.

    name: of a model in timm.
    """

    name: str = setting("resnet18")

    @property
    def short(self) -> str:
        return safe_name(f"timm_{self.name}")

    def build(self, image_shape: ImageShape, classes: int) -> nn.Module:
        try:
            timm = import_module("timm")
        except ModuleNotFoundError as error:
            raise UserError(f"model=timm model.name={self.name} needs the package timm: pip install timm") from error
        _check_name(self.name, timm.list_models(), "timm")
        network: nn.Module = timm.create_model(
            self.name, pretrained=False, num_classes=classes, in_chans=image_shape[0]
        )
        return network


def _check_name(name: str, known: Sequence[str], library: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=3) or sorted(known)[:3]
        raise UserError(
            f"model.name={name} is none of the {len(known)} models of {library}; did you mean {' or '.join(near)}?"
        )
