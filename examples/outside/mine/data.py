"""A data set: noisy stripes that are drawn, not downloaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src.config.part import setting
from src.data.source import DataSource

if TYPE_CHECKING:
    from src.data.dataset import Images

TRAINING, TEST, SIDE, CLASSES = 1200, 300, 12, 4


@dataclass(frozen=True)
class Stripes(DataSource):
    """Gray images of stripes four pixels wide in one of four directions, with normal noise; always the same ones."""

    noise: float = setting(0.3, at_least=0)

    def read(self, root: Path, download: bool) -> "Images":
        import numpy as np
        import torch

        from src.data.dataset import Images

        random = np.random.default_rng(0)
        labels = random.integers(0, CLASSES, TRAINING + TEST)
        angle = labels[:, None, None] * np.pi / CLASSES
        phase = random.uniform(0, 2 * np.pi, angle.shape)
        y, x = np.mgrid[:SIDE, :SIDE]
        gray = 0.5 + 0.25 * np.sin(np.pi / 2 * (x * np.cos(angle) + y * np.sin(angle)) + phase)
        gray += self.noise * random.standard_normal(gray.shape)
        images = torch.from_numpy((255 * gray.clip(0, 1)).astype(np.uint8))[:, None]
        y_true = torch.from_numpy(labels)
        return Images(images[:TRAINING], y_true[:TRAINING], images[TRAINING:], y_true[TRAINING:], CLASSES)
