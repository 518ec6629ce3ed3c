"""Marked points as flow at single pixels."""

from pathlib import Path

import numpy as np
import pytest
import scipy.io
import skimage.data

from corr.data import AnnotatedPairs
from corr.errors import DatasetError, OptionError
from corr.formats import write_image

X = np.linspace(30, 130, 10)
POINTS = np.stack((X, 60 + 20 * np.sin(X)), axis=1)


@pytest.fixture
def marked(tmp_path) -> Path:
    (tmp_path / "cat(S)").mkdir()
    photo = skimage.data.chelsea()
    for number in range(2):
        write_image(tmp_path / "cat(S)" / f"{number}.png", photo[40:160, 80 + 9 * number : 260])
        content = {"pts_coord": (POINTS - (9 * number, 0) + 1).T}
        scipy.io.savemat(tmp_path / "cat(S)" / f"{number}.mat", content)
    return tmp_path


def test_flow_is_known_at_the_marks_alone(marked):
    source = AnnotatedPairs(marked, "test", margin=0.0)
    assert len(source) == 2
    pair = source.pair(0, 101, np.random.default_rng(0))
    known = np.isfinite(pair.flow_0to1).all(-1)
    assert known.sum() == 10
    # Both boxes hold the same part of the photo, which fills both squares: nothing moves.
    assert np.abs(pair.flow_0to1[known]).max() < 1.01
    assert np.abs(pair.image0.astype(int) - pair.image1).mean() < 12


def test_marks_stay_on_their_parts_with_a_margin(marked):
    """The colours of both images around a mark agree, wherever the cut is."""
    source = AnnotatedPairs(marked, "test", margin=0.3)
    for seed in range(4):
        pair = source.pair(1, 128, np.random.default_rng(seed))
        y, x = np.nonzero(np.isfinite(pair.flow_0to1).all(-1))
        assert len(x) >= 8
        there = np.rint(np.stack((x, y), 1) + pair.flow_0to1[y, x]).astype(int)
        apart = pair.image0[y, x].astype(int) - pair.image1[there[:, 1], there[:, 0]]
        assert np.abs(apart).mean() < 20


def test_what_is_refused(marked, tmp_path):
    with pytest.raises(OptionError, match="margin is -1"):
        AnnotatedPairs(marked, margin=-1.0)
    with pytest.raises(DatasetError, match="PF-WILLOW has no part 'train'"):
        len(AnnotatedPairs(marked))
    with pytest.raises(DatasetError, match="is not a folder; give the root"):
        len(AnnotatedPairs(tmp_path / "nowhere"))
