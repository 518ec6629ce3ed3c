"""Synthetic scenes as a source of correspondences."""

import cv2
import numpy as np
import pytest

from corr.data.correspondence.dense_pair import targets
from corr.data.correspondence.synthetic_pairs import SyntheticPairs
from corr.data.synthetic.config import NO_CHANGE, SyntheticConfig

SIDE = 64


@pytest.mark.parametrize("view", ["posed", "planar", "flow", "stereo"])
def test_the_second_picture_comes_back_to_the_first(view):
    config = SyntheticConfig(view=view, first=NO_CHANGE, second=NO_CHANGE)
    pair = SyntheticPairs(config).pair(3, SIDE, np.random.default_rng(0))
    target = targets(pair.flow_0to1)
    known = np.isfinite(target).all(-1)
    assert known.mean() > 0.1
    x, y = np.moveaxis(np.nan_to_num(target), -1, 0)
    warped = cv2.remap(pair.image1, x, y, cv2.INTER_LINEAR).astype(float)
    off = np.abs(warped - pair.image0)[known].mean(-1)
    still = np.abs(pair.image1.astype(float) - pair.image0)[known].mean()
    assert np.median(off) < 4
    assert off.mean() < 0.7 * still


def test_the_index_decides():
    source = SyntheticPairs()
    first, again, other = (source.pair(i, 48, np.random.default_rng(i)) for i in (7, 7, 2**39))
    assert np.array_equal(first.image0, again.image0)
    assert not np.array_equal(first.image0, other.image0)
