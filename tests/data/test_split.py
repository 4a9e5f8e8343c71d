"""The validation split: held out, disjoint, and the same for every run."""

import pytest
import torch

from src.data.dataset import validation_split
from src.errors import UserError
from tests.data.synthetic import small_dataset


@pytest.mark.parametrize(("n", "fraction", "held_out"), [(100, 0.1, 10), (10, 0.25, 2), (10, 0.01, 1), (2, 0.9, 0)])
def test_the_fraction_is_held_out(n, fraction, held_out):
    data = small_dataset(n)
    if not held_out:
        with pytest.raises(UserError):
            validation_split(data, fraction)
        return
    reduced, images, labels = validation_split(data, fraction)
    assert len(images) == len(labels) == held_out
    assert len(reduced.train_images) == len(reduced.train_labels) == n - held_out


def test_parts_are_disjoint_complete_and_in_order():
    data = small_dataset(100)
    reduced, images, labels = validation_split(data, 0.2)
    kept, held_out = reduced.train_labels.tolist(), labels.tolist()
    assert sorted(kept + held_out) == list(range(100))
    assert (kept, held_out) == (sorted(kept), sorted(held_out))
    assert held_out not in (list(range(20)), list(range(80, 100)))
    assert torch.equal(reduced.train_images, data.train_images[kept])
    assert torch.equal(images, data.train_images[held_out])


def test_the_test_images_and_the_original_stay():
    data = small_dataset(10)
    reduced, _, _ = validation_split(data, 0.2)
    assert torch.equal(reduced.test_images, data.test_images)
    assert torch.equal(reduced.test_labels, data.test_labels)
    assert len(data.train_labels) == 10


def test_number_of_images_and_seed_alone_decide():
    chosen = validation_split(small_dataset(100), 0.2)[2]
    torch.manual_seed(3)
    assert torch.equal(validation_split(small_dataset(100, side=8), 0.2)[2], chosen)
    assert not torch.equal(validation_split(small_dataset(100), 0.2, seed=1)[2], chosen)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan"), 0.99])
def test_impossible_fractions(fraction):
    with pytest.raises(UserError, match=rf"{fraction} of 10 .*above 0 and below 1"):
        validation_split(small_dataset(10), fraction)
