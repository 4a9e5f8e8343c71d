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


@dataclass(frozen=True)
class Digits(DataSource):
    """8x8 images, values 0..16 scaled to 0..255; the first 1,500 train, the last 297 test."""

    mean, std = (0.3052,), (0.3749,)
    place = "scikit-learn's package"
    content = "c48dbb0597a91b309a4a6ac140759c02"

    def read(self, root: Path, download: bool) -> "Images":
        import torch

        from src.data.dataset import Images

        package = importlib.util.find_spec("sklearn")  # importing it takes seconds
        if package is None or not package.submodule_search_locations:
            raise UserError("dataset=digits comes with scikit-learn, which is not installed: pip install scikit-learn")
        path = Path(package.submodule_search_locations[0]) / "datasets/data/digits.csv.gz"
        scale = [round(value * (255 / 16)) for value in range(17)]
        try:
            with gzip.open(path, "rt", encoding="ascii") as file:
                rows = [[int(float(value)) for value in row] for row in csv.reader(file)]
            images = torch.tensor([[scale[value] for value in row[:64]] for row in rows], dtype=torch.uint8)
            images, labels = images.view(-1, 1, 8, 8), torch.tensor([row[64] for row in rows])
        except (OSError, EOFError, zlib.error, ValueError, IndexError, RuntimeError) as error:
            raise UserError(f"dataset=digits: {path} cannot be read ({error}): reinstall scikit-learn") from error
        return Images(images[:1500], labels[:1500], images[1500:], labels[1500:], classes=10)
