"""Which parameters are pruned."""

from torch import nn


def prunable_names(model: nn.Module) -> list[str]:
    """State-dict names of the weights of convolutions and linear layers, in registration order (PROTOCOL 1.1).

    >>> prunable_names(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)))
    ['0.weight']
    """
    return [name for name, p in model.named_parameters() if name.split(".")[-1] == "weight" and p.ndim > 1]
