"""ORB and AKAZE: keypoints with packed bits."""

import cv2
import numpy as np
import pytest
from skimage import data

from corr.classical.binary import akaze, has_akaze, orb
from corr.errors import ModelError
from corr.search import match_descriptors


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.ascontiguousarray(data.camera()[100:400, 60:420])


def test_orb_gives_the_strongest_first_with_their_own_bits(photo: np.ndarray) -> None:
    keypoints, bits = orb(photo, 300)
    assert bits.shape == (len(keypoints), 32)
    assert bits.dtype == np.uint8
    assert 200 < len(keypoints) <= 300
    assert (np.diff(keypoints.scores) <= 0).all()
    method = cv2.ORB.create(300)
    found, theirs = method.detectAndCompute(photo, None)
    row = {(*k.pt, k.octave, k.angle): theirs[i] for i, k in enumerate(found)}
    assert keypoints.octave is not None
    for i in range(len(keypoints)):
        where = (
            *keypoints.points[i].tolist(),
            int(keypoints.octave[i]),
            float(keypoints.angle_deg[i]),
        )
        np.testing.assert_array_equal(bits[i], row[where])


def test_orb_matches_a_shifted_picture(photo: np.ndarray) -> None:
    shifted = np.roll(photo, (7, 12), axis=(0, 1))
    (found0, bits0), (found1, bits1) = orb(photo, 500), orb(shifted, 500)
    pairs, _ = match_descriptors(bits0, bits1, ratio=0.9)
    moved = found1.points[pairs[:, 1]] - found0.points[pairs[:, 0]]
    assert len(pairs) > 200
    assert (np.abs(moved - [12, 7]).max(1) < 2).mean() > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (2, 2), (40, 300), (62, 62), (200, 200)])
def test_black_and_tiny_pictures_hold_nothing(shape: tuple[int, int]) -> None:
    keypoints, bits = orb(np.zeros(shape, np.uint8))
    assert len(keypoints) == 0
    assert bits.shape == (0, 32)


@pytest.mark.skipif(has_akaze(), reason="the installed OpenCV has AKAZE")
def test_without_akaze_the_error_says_what_to_install(photo: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"'akaze' is not in the installed OpenCV .*; use 'orb'"):
        akaze(photo)


@pytest.mark.skipif(not has_akaze(), reason="the installed OpenCV has no AKAZE")
def test_akaze_is_cut_to_the_strongest(photo: np.ndarray) -> None:
    keypoints, bits = akaze(photo, 50)
    assert len(keypoints) == 50
    assert bits.shape == (50, 61)
    everything, _ = akaze(photo, 10_000)
    np.testing.assert_array_equal(keypoints.points, everything.points[:50])
    for shape in ((1, 1), (1, 60), (2, 2), (30, 30)):
        assert len(akaze(np.zeros(shape, np.uint8))[0]) == 0
