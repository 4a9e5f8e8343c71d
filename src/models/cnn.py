"""Plain convolutional network."""

from torch import Tensor, nn

from src.errors import UserError
from src.models.init import initialise
from src.models.shape import ImageShape

WIDTHS = (64, 128, 256, 512)
SMALLEST_SIDE = 2 ** (len(WIDTHS) - 1)


class Cnn(nn.Module):
    """Four 3x3 convolutions with BatchNorm and ReLU, max-pooling between them, global average pooling, linear."""

    def __init__(self, image_shape: ImageShape, classes: int) -> None:
        super().__init__()
        channels, height, width = image_shape
        if min(height, width) < SMALLEST_SIDE:
            raise UserError(
                f"model=cnn halves the image three times and needs {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels or more, "
                f"these images have {height}x{width}; use model=mlp"
            )
        layers: list[nn.Module] = []
        for outputs in WIDTHS:
            layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
            channels = outputs
        self.blocks = nn.Sequential(*layers[:-1])
        self.linear = nn.Linear(channels, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, classes] of images [batch, channels, height, width]."""
        logits: Tensor = self.linear(self.blocks(x).mean((2, 3)))
        return logits
