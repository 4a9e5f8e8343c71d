"""Images as one uint8 tensor on the device; normalised and augmented there, batch by batch."""

from src.data.augmentation import Draws, apply, augment, draw
from src.data.batches import epoch_generator, epoch_order, training_batches
from src.data.dataset import Dataset
from src.data.load import DATASETS, load_dataset
from src.data.normalisation import normalise
from src.data.split import validation_split

__all__ = [
    "DATASETS",
    "Dataset",
    "Draws",
    "apply",
    "augment",
    "draw",
    "epoch_generator",
    "epoch_order",
    "load_dataset",
    "normalise",
    "training_batches",
    "validation_split",
]
