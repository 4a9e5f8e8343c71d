"""Flips and crops: exact content against a plain implementation, and the distributions of PROTOCOL 3.2."""

import numpy as np
import pytest
import torch

from src.data.batches import Draws, apply, draw
from tests.data.synthetic import pixels

N = 81_000
LEAST_P = 1e-3


def plain(image, flip, dy, dx):
    """Flip, pad by reflection with 4 pixels, cut out: image [C, H, W] as numpy."""
    _, height, width = image.shape
    padded = np.pad(image[:, :, ::-1] if flip else image, ((0, 0), (4, 4), (4, 4)), mode="reflect")
    return padded[:, dy : dy + height, dx : dx + width]


@pytest.fixture(scope="module")
def draws():
    return draw(N, np.random.default_rng(0), flip=True, crop=True)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 7, 12)])
def test_every_flip_and_offset_gives_the_plain_content(shape):
    cases = [(flip, dy, dx) for flip in (False, True) for dy in range(9) for dx in range(9)]
    images = torch.from_numpy(pixels(np.random.default_rng(0), len(cases), *shape))
    flip, dy, dx = (torch.tensor(column) for column in zip(*cases, strict=True))
    result = apply(images, Draws(flip, dy, dx))
    assert result.dtype == torch.uint8
    for image, case, augmented in zip(images.numpy(), cases, result.numpy(), strict=True):
        np.testing.assert_array_equal(augmented, plain(image, *case))


@pytest.mark.parametrize(("flip", "crop"), [(True, False), (False, True), (True, True)])
def test_each_image_gets_what_was_drawn_for_it(flip, crop):
    images = torch.from_numpy(pixels(np.random.default_rng(0), 50, 3, 16, 16))
    before = images.clone()
    drawn = draw(50, np.random.default_rng(5), flip, crop)
    result = apply(images, drawn)
    nothing = torch.zeros(50, dtype=torch.int64)
    dy, dx = (drawn.dy, drawn.dx) if crop else (nothing + 4, nothing + 4)
    each = zip(images.numpy(), drawn.flip if flip else nothing, dy, dx, strict=True)
    np.testing.assert_array_equal(result.numpy(), np.stack([plain(image, bool(f), y, x) for image, f, y, x in each]))
    assert torch.equal(images, before)
    assert not torch.equal(result, before)


def test_without_flip_and_crop_the_images_stay():
    images = torch.from_numpy(pixels(np.random.default_rng(0), 5, 1, 8, 8))
    drawn = draw(5, np.random.default_rng(0), flip=False, crop=False)
    assert drawn.flip is drawn.dy is drawn.dx is None
    assert torch.equal(apply(images, drawn), images)


def test_a_part_of_the_draws_augments_a_part_of_the_images(draws):
    images = torch.from_numpy(pixels(np.random.default_rng(0), 20, 3, 12, 12))
    assert torch.equal(apply(images, draws[:20])[5:9], apply(images[5:9], draws[5:9]))


def test_half_of_the_images_are_flipped(draws):
    assert uniform(torch.bincount(draws.flip.long(), minlength=2))


def test_offsets_are_uniform_over_9x9(draws):
    assert (draws.dy.min(), draws.dy.max(), draws.dx.min(), draws.dx.max()) == (0, 8, 0, 8)
    assert uniform(torch.bincount(draws.dy * 9 + draws.dx, minlength=81))


def test_flip_and_offsets_are_independent(draws):
    for offset in (draws.dy, draws.dx):
        assert independent(draws.flip.long(), offset)


def test_samples_are_independent(draws):
    for values in (draws.flip.long(), draws.dy, draws.dx):
        assert independent(values[:-1], values[1:])


def uniform(counts):
    from scipy.stats import chisquare  # in here: a GPU's machine may lack it

    return chisquare(counts.numpy()).pvalue > LEAST_P


def independent(a, b):
    from scipy.stats import chi2_contingency

    table = torch.bincount(a * 9 + b, minlength=81).view(9, 9).numpy()
    return chi2_contingency(table[table.any(1)][:, table.any(0)]).pvalue > LEAST_P


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_device_changes_nothing():
    images = torch.from_numpy(pixels(np.random.default_rng(0), 50, 3, 32, 32))
    drawn = draw(50, np.random.default_rng(3), True, True)
    here, there = (apply(images.to(d), drawn.to(d)).cpu() for d in ("cpu", "cuda"))
    assert torch.equal(here, there)
