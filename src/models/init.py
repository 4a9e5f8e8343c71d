"""Initial values of weights and biases."""

from torch import nn


def initialise(model: nn.Module) -> None:
    """Initialise in place: convolutions Kaiming normal over fan-out, their and the linear layers' biases zero.

    A convolution's weights get the standard deviation sqrt(2 / (C_out kh kw)). Linear weights keep PyTorch's default,
    uniform within ±1/sqrt(fan_in), and BatchNorm its default of weight 1 and bias 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
