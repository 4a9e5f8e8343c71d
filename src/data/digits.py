"""The 1,797 handwritten digits that come with scikit-learn: nothing to download."""

import csv
import gzip
import importlib.util
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src.data.source import DataSource
from src.errors import UserError

if TYPE_CHECKING:
    from src.data.dataset import Images

TRAINING_IMAGES = 1500
FILE = "datasets/data/digits.csv.gz"


@dataclass(frozen=True)
class Digits(DataSource):
    """8x8 images, values 0..16 scaled to 0..255; the first 1,500 train, the last 297 test."""

    mean, std = (0.3052,), (0.3749,)
    place = "scikit-learn's package"
    content = "c48dbb0597a91b309a4a6ac140759c02"

    def read(self, root: Path, download: bool) -> "Images":
        import torch

        from src.data.dataset import Images

        rows = torch.tensor(_rows())
        scale = torch.tensor([round(value * (255 / 16)) for value in range(17)], dtype=torch.uint8)
        images, labels = scale[rows[:, :64]].view(-1, 1, 8, 8), rows[:, 64].contiguous()
        n = TRAINING_IMAGES
        return Images(images[:n], labels[:n], images[n:], labels[n:], classes=10)


def _rows() -> list[list[int]]:
    """The 64 pixels and the label of each image, from the package's file: importing scikit-learn takes seconds."""
    package = importlib.util.find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise UserError("dataset=digits is a file of scikit-learn, which is not installed: pip install scikit-learn")
    path = Path(package.submodule_search_locations[0]) / FILE
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            rows = [[int(float(value)) for value in row] for row in csv.reader(file)]
        if {len(row) for row in rows} != {65}:
            raise ValueError("not 65 values in each row")
        return rows
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(f"dataset=digits: {path} cannot be read ({error}): reinstall scikit-learn") from error
