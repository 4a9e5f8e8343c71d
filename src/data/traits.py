"""How each data set is normalised and augmented (PROTOCOL 3.2), and where it lies."""

from dataclasses import dataclass
from typing import Literal

Statistics = Literal["reference", "true"]
Channels = tuple[float, ...]


@dataclass(frozen=True)
class Traits:
    """Mean and standard deviation per channel of pixels scaled to [0, 1], and what augmentation does.

    `mean` and `std` are those of the authors' code; `true_mean` and `true_std` those of the training images, where they
    differ. `place` says where the files are.
    """

    place: str
    mean: Channels
    std: Channels
    flip: bool = False
    crop: bool = False
    true_mean: Channels | None = None
    true_std: Channels | None = None

    def statistics(self, which: Statistics) -> tuple[Channels, Channels]:
        """Mean and standard deviation to normalise with."""
        if which == "reference":
            return self.mean, self.std
        return self.true_mean or self.mean, self.true_std or self.std


TRAITS = {
    "fashion_mnist": Traits("{root}/FashionMNIST/raw", (0.2860,), (0.3530,)),
    "cifar10": Traits(
        "{root}/cifar-10-batches-py",
        (0.4914, 0.4822, 0.4465),
        (0.2023, 0.1994, 0.2010),
        flip=True,
        crop=True,
        true_std=(0.2470, 0.2435, 0.2616),
    ),
    "cifar100": Traits(
        "{root}/cifar-100-python", (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762), flip=True, crop=True
    ),
    "tiny_imagenet": Traits(
        "{root}",
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
        flip=True,
        crop=True,
        true_mean=(0.4802, 0.4481, 0.3975),
        true_std=(0.2770, 0.2691, 0.2821),
    ),
    "mnist": Traits("{root}/MNIST/raw", (0.1307,), (0.3081,)),
    "svhn": Traits("{root}", (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970), crop=True),
    "digits": Traits("scikit-learn's package", (0.3052,), (0.3749,)),
}
