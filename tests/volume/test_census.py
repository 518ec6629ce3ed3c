from inspect import unwrap

import numpy as np
import pytest

from corr.errors import OptionError, ShapeError
from corr.volume.census import FLAT, WINDOW, census, census_volume, hamming_volume


def _random(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def test_a_bit_is_set_for_each_darker_neighbour():
    image = np.full((7, 9), 100, np.uint8)
    image[0, 0] = 99  # first neighbour of the centre: the highest of 62 bits
    image[6, 8] = 0  # last one: the lowest
    image[3, 5] = 101
    assert census(image)[3, 4] == (1 << 61) | 1


def test_census_ignores_gain_and_offset():
    image = _random((20, 30)) // 4
    np.testing.assert_array_equal(census(image), census(2 * image + 30))


def test_the_volume_counts_differing_comparisons():
    left, right, depth = _random((11, 14)), _random((11, 14), 1), 6
    padded = [np.pad(view, ((3, 3), (4, 4)), mode="edge") for view in (left, right)]

    def darker(view, y, x):
        window = padded[view][y : y + 7, x : x + 9]
        return window < window[3, 4]

    expected = np.full((11, 14, depth), 14)
    for y in range(11):
        for x in range(14):
            for d in range(min(depth, x + 1)):
                expected[y, x, d] = (darker(0, y, x) != darker(1, y, x - d)).sum()
            seen, unseen = expected[y, x, : x + 1], expected[y, x, x + 1 :]
            unseen[:] = seen.max() if len(set(seen)) == 1 else min(14, seen.max())
    volume = census_volume(left, right, depth)
    assert volume.dtype == np.uint8
    np.testing.assert_array_equal(volume, expected)
    assert volume.max() <= WINDOW[0] * WINDOW[1] - 1


def test_unseen_matches_have_the_cost_that_was_asked_for():
    volume = census_volume(_random((3, 9)), _random((3, 9), 1), 12, unseen_cost=3)
    unseen = np.arange(12) > np.arange(9)[:, None]
    assert (volume[:, 0] == volume[:, 0, :1]).all()  # of one alone, all are as good
    unseen[0] = False
    assert (volume[:, unseen] == 3).all()
    assert (volume[:, ~unseen] > 3).mean() > 0.9


def test_a_shifted_image_costs_nothing_at_its_shift():
    right = _random((20, 60))
    left = np.roll(right, 7, axis=1)
    volume = census_volume(left, right, 12)
    assert (volume[:, 11:-4, 7] == 0).all()
    assert (volume[:, 11:-4].argmin(2) == 7).all()


def test_one_pixel_and_black_images_cost_nothing():
    assert census_volume(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint8), 1).tolist() == [
        [[0]]
    ]
    black = np.zeros((5, 8), np.uint8)
    assert (census_volume(black, black, 4, unseen_cost=0) == 0).all()


def test_a_window_without_contrast_fits_its_like_and_tells_nothing_of_others():
    left, right = _random((9, 30)), _random((9, 30))
    left[:, :20], right[:, :12] = 7, 7  # flat windows: left x < 16, right x < 8
    cost = census_volume(left, right, 10, unseen_cost=14)
    words = census(left), census(right)
    assert (words[0][:, :16] == FLAT).all()
    assert not (words[0][:, 20:] & FLAT).any()
    for x in range(10, 16):
        match = x - np.arange(10)
        assert (cost[:, x, match < 8] == 0).all()
        assert (cost[:, x, match >= 8] == 14).all()


def test_refusals():
    image = _random((4, 5))
    words = census(image)
    with pytest.raises(ShapeError, match="one size"):
        unwrap(hamming_volume)(words, words[:, :4], 2)  # past the shape check of the tests
    with pytest.raises(OptionError, match="max_disparity is 0; use 1 or more"):
        census_volume(image, image, 0)
