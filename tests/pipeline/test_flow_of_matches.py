"""Flow of a network that describes every place: both ways from the same matches."""

import numpy as np
import pytest
import skimage.data
from filter_descriptor import FilterDescriptor

import corr
from corr.pipeline.flow_of_matches import LEAST_CONFIDENCE, flow_of_matches

SHIFT = 16
"""px that the square moves to the right, whole cells of the network."""
SQUARE = np.s_[40:104, 48:112]
COVERED = np.s_[44:100, 112:128]
"""What the square hides in image 1, less its corners."""
WALL, INNER = np.s_[16:128, 140:212], np.s_[40:104, 164:188]
"""Blank in both images, and its part from which nothing else is seen: there is nothing to match."""


@pytest.fixture(scope="module")
def network():
    """One that sees 9 px around a place and no further, unlike `ucn`."""
    return FilterDescriptor()


@pytest.fixture(scope="module")
def pair():
    """A photograph with a blank part, before which a square of another moves."""
    view = skimage.data.chelsea()[60:204, 100:324].copy()
    view[WALL] = 128
    views = view.copy(), view.copy()
    square = skimage.data.astronaut()[0:64, 190:254]
    for number, image in enumerate(views):
        image[SQUARE[0], 48 + SHIFT * number : 112 + SHIFT * number] = square
    return views


@pytest.fixture(scope="module")
def found(pair, network):
    return corr.flow(*pair, model=network)


def test_what_is_covered_is_occluded(found):
    assert found.occluded[COVERED].mean() > 0.7
    np.testing.assert_array_equal(found.occluded, found.confidence == 0)


def test_what_was_filled_is_not_occluded_where_both_ways_agree(found):
    """What surrounds it does not move in either image, and so neither does it."""
    assert np.abs(found.flow[INNER]).max() < 0.1
    assert found.occluded[INNER].mean() == 0
    assert 0 < np.median(found.confidence[INNER]) < np.median(found.confidence[56:88, 64:96]) / 10


def test_little_else_is_occluded(found):
    rest = np.ones(found.occluded.shape, bool)
    rest[32:112, 40:136] = False  # the square, its shade in image 1, and a rim of 8 px
    assert found.occluded[rest].mean() < 0.05
    assert found.occluded[48:96, 56:104].mean() < 0.1


def test_both_ways_are_of_the_same_matches(pair, network):
    there, back, confidence = flow_of_matches(network, *pair)
    inside = np.s_[48:96, 56:104]
    assert np.median(np.abs(there[inside] - [SHIFT, 0])) < 1
    moved = np.s_[48:96, 56 + SHIFT : 104 + SHIFT]
    assert back is not None
    assert np.median(np.abs(back[moved] + [SHIFT, 0])) < 1
    assert flow_of_matches(network, *pair, both=False).back is None
    assert (confidence[INNER] == np.float32(LEAST_CONFIDENCE)).mean() > 0.9
    assert np.median(confidence[inside]) > 10 * LEAST_CONFIDENCE
