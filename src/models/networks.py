"""Networks without shortcuts, and the initial values of all networks of ours."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from src.models.model import ImageShape


def initialise(network: nn.Module) -> None:
    """Initialise in place: convolutions Kaiming normal over fan-out, their and the linear layers' biases zero.

    A convolution's weights get the standard deviation sqrt(2 / (C_out kh kw)). Linear weights keep PyTorch's default,
    uniform within ±1/sqrt(fan_in), and BatchNorm its default of weight 1 and bias 0.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


class Perceptron(nn.Module):
    """Pixels, hidden units with ReLU, classes; without hidden units one linear layer."""

    def __init__(self, image_shape: ImageShape, classes: int, hidden: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = math.prod(image_shape)
        for width in hidden:
            layers += [nn.Linear(inputs, width), nn.ReLU()]
            inputs = width
        self.blocks = nn.Sequential(*layers)
        self.linear = nn.Linear(inputs, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, classes] of images [batch, channels, height, width]."""
        logits: Tensor = self.linear(self.blocks(x.flatten(1)))
        return logits


class ConvNet(nn.Module):
    """3x3 convolutions with BatchNorm and ReLU, max-pooling between them, global average pooling, linear."""

    def __init__(self, image_shape: ImageShape, classes: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = image_shape[0]
        for outputs in widths:
            layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
            channels = outputs
        self.blocks = nn.Sequential(*layers[:-1])
        self.linear = nn.Linear(channels, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, classes] of images [batch, channels, height, width]."""
        logits: Tensor = self.linear(self.blocks(x).mean((2, 3)))
        return logits
