"""scikit-learn's digits, which need no file."""

import numpy as np
import torch

from src.data import load_dataset


def test_images_and_labels_are_scikit_learns(tmp_path):
    from sklearn.datasets import load_digits

    data = load_dataset("digits", tmp_path / "root")
    digits = load_digits()
    images = torch.cat([data.train_images, data.test_images])
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == torch.uint8
    np.testing.assert_allclose(images[:, 0].numpy() / 255 * 16, digits.images, atol=0.5 * 16 / 255)
    assert torch.cat([data.train_labels, data.test_labels]).tolist() == digits.target.tolist()
    assert (len(data.train_labels), len(data.test_labels), data.classes) == (1500, 297, 10)
    assert (images.min(), images.max()) == (0, 255)


def test_nothing_is_written(tmp_path):
    load_dataset("digits", tmp_path / "root")
    assert not list(tmp_path.iterdir())
