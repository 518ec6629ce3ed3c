from inspect import unwrap

import numpy as np
import pytest

from corr.errors import OptionError, ShapeError
from corr.volume.cross import cross_aggregate, cross_arms


def _image(shape=(9, 11), levels=3):
    rng = np.random.default_rng(0)
    return (rng.integers(0, levels, (*shape, 3)) * 15).astype(np.uint8)


def test_an_arm_ends_before_another_colour_at_its_length_and_at_the_border():
    image = np.zeros((1, 8, 3), np.uint8)
    image[0, 5:, 1] = 40
    arms = cross_arms(image, 3, 20)
    assert arms[0, :, 0].tolist() == [0, 1, 2, 3, 3, 1, 1, 2]
    assert arms[0, :, 1].tolist() == [3, 3, 2, 1, 1, 2, 1, 0]
    assert (arms[0, :, 2:] == 0).all()


def test_means_equal_a_naive_loop_over_regions():
    image = _image()
    rng = np.random.default_rng(1)
    cost = rng.integers(0, 256, (9, 11, 5)).astype(np.uint8)
    arms = cross_arms(image, 4, 15)
    found = cross_aggregate(cost, arms)
    assert found.dtype == np.uint8
    for y in range(9):
        for x in range(11):
            region = [
                cost[row, column]
                for row in range(y - arms[y, x, 2], y + arms[y, x, 3] + 1)
                for column in range(x - arms[row, x, 0], x + arms[row, x, 1] + 1)
            ]
            expected = np.mean(region, axis=0)
            assert np.abs(found[y, x] - expected).max() <= 0.501


def test_costs_do_not_cross_an_edge_of_the_image():
    image = np.zeros((12, 12, 3), np.uint8)
    image[:, 6:] = 200
    cost = np.where(np.arange(12)[:, None] < 6, 10, 90).astype(np.uint8)
    cost = np.broadcast_to(cost, (12, 12, 1)).copy()
    found = cross_aggregate(cost, cross_arms(image, 6, 20))[:, :, 0]
    assert (found[:, :5] == 10).all()
    assert (found[:, 7:] == 90).all()


def test_the_largest_sums_do_not_wrap_around():
    cost = np.full((300, 300, 2), 255, np.uint8)
    arms = cross_arms(np.zeros((300, 300, 3), np.uint8), 127, 0)
    assert (cross_aggregate(cost, arms) == 255).all()


def test_refusals():
    image = _image()
    with pytest.raises(OptionError, match="length is 0"):
        cross_arms(image, 0, 20)
    with pytest.raises(ShapeError, match="do not fit arms"):
        unwrap(cross_aggregate)(np.zeros((3, 4, 5), np.uint8), cross_arms(image, 3, 20))
