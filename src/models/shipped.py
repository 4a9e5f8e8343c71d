"""The models of `conf/model` by their short names, for what names a model without Hydra: benchmarks and cost tables."""

from src.models.libraries import Torchvision
from src.models.model import Model
from src.models.plain import Cnn, Linear, Mlp
from src.models.residual import Resnet, WideResnet

MODELS: dict[str, Model] = {
    model.short: model
    for model in (
        Linear(),
        Mlp(),
        Cnn(),
        Resnet(depth=1),
        Resnet(depth=2),
        Torchvision(name="resnet50"),
        WideResnet(factor=2),
        WideResnet(factor=8),
    )
}
