"""Batches of an epoch: complete, and decided by (seed, iteration, epoch) alone."""

import numpy as np
import pytest
import torch

from src.data.batches import apply, draw, epoch_generator, epoch_order, normalise, training_batches
from tests.data.synthetic import small_dataset


def batches(dataset, size=4, seed=0, iteration=0, epoch=0, shuffle=True, augment=True):
    return list(training_batches(dataset, size, epoch_generator(seed, iteration, epoch), shuffle, augment))


def labels(parts):
    return torch.cat([y for _, y in parts]).tolist()


def images(parts):
    return torch.cat([x for x, _ in parts])


@pytest.mark.parametrize(("size", "sizes"), [(4, [4, 4, 2]), (5, [5, 5]), (9, [9, 1]), (20, [10])])
def test_a_last_partial_batch_is_kept(size, sizes):
    parts = batches(small_dataset(10), size)
    assert [len(x) for x, _ in parts] == [len(y) for _, y in parts] == sizes


def test_an_epoch_has_every_image_once_in_another_order():
    order = labels(batches(small_dataset(50)))
    assert sorted(order) == list(range(50))
    assert order != list(range(50))


def test_images_are_those_of_their_labels_normalised():
    data = small_dataset(10)
    for x, y in batches(data, augment=False):
        assert x.dtype == torch.float32
        assert torch.equal(x, normalise(data.train_images[y], data.mean, data.std))


def test_unshuffled_and_not_augmented_is_the_data_set():
    data = small_dataset(10)
    parts = batches(data, shuffle=False, augment=False)
    assert labels(parts) == list(range(10))
    assert torch.equal(images(parts), normalise(data.train_images, data.mean, data.std))


def test_augmented_images_follow_the_draws_that_come_after_the_order():
    data = small_dataset(10)
    generator = epoch_generator(0, 0, 0)
    order = epoch_order(10, True, generator)
    expected = apply(data.train_images[order], draw(10, generator, True, True))
    assert torch.equal(images(batches(data)), normalise(expected, data.mean, data.std))


@pytest.mark.parametrize(("flip", "crop"), [(True, False), (False, True), (False, False)])
def test_only_what_the_data_set_names_is_augmented(flip, crop):
    data = small_dataset(200, flip=flip, crop=crop)
    result = images(batches(data, 200, shuffle=False))
    original = normalise(data.train_images, data.mean, data.std)
    stayed = (result == original).flatten(1).all(1)
    flipped = (result == original.flip(3)).flatten(1).all(1)
    assert flipped.any() == flip
    assert (stayed | flipped).all() == (not crop)
    assert stayed.all() == (not flip and not crop)


def test_the_same_epoch_is_the_same_whatever_the_global_generators_say():
    first = batches(small_dataset(10))
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002
    again = batches(small_dataset(10))
    assert labels(first) == labels(again)
    assert torch.equal(images(first), images(again))


def test_global_generators_are_left_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    batches(small_dataset(10))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_seed_iteration_and_epoch_each_change_order_and_augmentation():
    data = small_dataset(50)
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1)]
    assert len({tuple(labels(batches(data, 4, *key))) for key in keys}) == len(keys)
    unshuffled = [images(batches(data, 4, *key, shuffle=False)) for key in keys]
    assert not any(torch.equal(a, b) for i, a in enumerate(unshuffled) for b in unshuffled[:i])


def test_the_order_does_not_depend_on_augmentation_or_batch_size():
    data = small_dataset(50)
    assert labels(batches(data, 4)) == labels(batches(data, 4, augment=False)) == labels(batches(data, 7))
    assert torch.equal(images(batches(data, 4)), images(batches(data, 7)))


@pytest.mark.parametrize("at_once", [1, 2, 20])
def test_batches_in_a_room_of_their_own_are_the_same(at_once):
    data = small_dataset(10)
    room = torch.empty(min(4 * at_once, 10), *data.image_shape)
    parts = training_batches(data, 4, epoch_generator(0, 0, 0), True, True, room)
    for (x, y), (usual, its) in zip(parts, batches(data), strict=True):
        assert torch.equal(x, usual)
        assert torch.equal(y, its)
        assert x.untyped_storage().data_ptr() == room.data_ptr()
