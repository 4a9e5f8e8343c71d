"""Pre-activation residual networks (He et al. 2016b), narrow or wide."""

from collections.abc import Sequence

from torch import Tensor, nn

from src.models.model import ImageShape
from src.models.networks import initialise


class Block(nn.Module):
    """x + conv2(relu(norm2(conv1(a)))) with a = relu(norm1(x)); 1x1 convolution of a for x where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs or stride != 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Features [batch, outputs, height / stride, width / stride]."""
        a = self.norm1(x).relu()
        kept: Tensor = x if self.shortcut is None else self.shortcut(a)
        residual: Tensor = self.conv2(self.norm2(self.conv1(a)).relu())
        return residual + kept


class PreActivationNet(nn.Module):
    """A bare 3x3 convolution, stages of blocks, norm, ReLU, global average pooling, linear.

    Stage i has `depths[i]` blocks of `widths[i]` channels; every stage but the first begins with stride 2.
    """

    def __init__(
        self, image_shape: ImageShape, classes: int, stem: int, widths: Sequence[int], depths: Sequence[int]
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(image_shape[0], stem, 3, padding=1, bias=False)
        blocks = []
        inputs = stem
        for stage, (outputs, depth) in enumerate(zip(widths, depths, strict=True)):
            for block in range(depth):
                blocks.append(Block(inputs, outputs, stride=2 if stage > 0 and block == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(inputs)
        self.linear = nn.Linear(inputs, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, classes] of images [batch, channels, height, width]."""
        features = self.norm(self.blocks(self.stem(x))).relu()
        logits: Tensor = self.linear(features.mean((2, 3)))
        return logits
