"""Keypoints that are found in both views of a photograph."""

import numpy as np
import pytest

from corr.data.correspondence.dense_pair import DensePair, follow
from corr.data.correspondence.keypoint_pairs import MAX_DISTANCE, repeated_keypoints
from corr.data.correspondence.photo_pairs import PhotoPairs
from corr.data.photometric import Photometry
from corr.data.photos import find_photos


@pytest.fixture(scope="module")
def pair():
    source = PhotoPairs(find_photos()[1], photometry=Photometry(probability=0.0))
    return source.pair(0, 192, np.random.default_rng(1))


def test_they_go_where_the_flow_says_each_to_its_own(pair):
    found = repeated_keypoints(pair)
    assert len(found.points0) > 15
    moved = follow(pair.flow_0to1, found.points0)
    assert np.linalg.norm(moved - found.points1, axis=1).max() <= MAX_DISTANCE
    for side in found:
        assert len(np.unique(side, axis=0)) == len(side)


def test_none_where_nothing_is_known_or_seen(pair):
    unknown = DensePair(pair.image0, pair.image1, np.full_like(pair.flow_0to1, np.nan))
    flat = DensePair(np.zeros_like(pair.image0), pair.image1, pair.flow_0to1)
    for nothing in (unknown, flat):
        assert repeated_keypoints(nothing).points0.shape == (0, 2)
