"""ResNet-50 as torchvision has it."""

from torch import nn

from src.errors import UserError
from src.models.shape import ImageShape


def resnet50(image_shape: ImageShape, classes: int) -> nn.Module:
    """Post-activation bottlenecks with the ImageNet stem (v1.5: stride on the 3x3), whatever the size of the images.

    Initialised by torchvision: convolutions as elsewhere here, but the classifier's bias keeps PyTorch's default
    (PROTOCOL A18). Raises UserError for other than three channels.
    """
    if image_shape[0] != 3:
        raise UserError(
            f"model=resnet50 takes images of 3 channels, these have {image_shape[0]}; "
            "use model=resnet18, or dataset=cifar10, cifar100, tiny_imagenet or svhn"
        )
    from torchvision import models  # takes seconds to import, and the other models do without

    model: nn.Module = models.resnet50(weights=None, num_classes=classes)
    return model
