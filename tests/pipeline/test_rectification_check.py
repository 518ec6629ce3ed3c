"""The verdict on a pair: real ones that are fit, and the same broken on purpose."""

import re

import cv2
import numpy as np
import pytest
import skimage.data

from corr.data.stereo_pairs import read_stereo
from corr.errors import ImageError
from corr.formats import read_image
from corr.pipeline.rectification_check import check_rectified, fit_offset


@pytest.fixture(scope="module")
def motorcycle():
    left, right, _ = skimage.data.stereo_motorcycle()
    return left, right


def moved(image: np.ndarray, matrix) -> np.ndarray:
    size = image.shape[1], image.shape[0]
    return cv2.warpAffine(image, np.float64(matrix), size, borderMode=cv2.BORDER_REPLICATE)


def turned(image: np.ndarray, degrees: float) -> np.ndarray:
    """Clockwise on the screen: from x towards y."""
    centre = (image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2
    return moved(image, cv2.getRotationMatrix2D(centre, -degrees, 1.0))


def test_the_motorcycle_is_fit(motorcycle):
    found = check_rectified(*motorcycle)
    assert found.fit, found.problems
    assert not found.swapped
    assert len(found.points_left) > 300
    low, high = found.disparity_range
    assert 0 < low < 12
    assert 45 < high <= found.max_disparity < 130
    truth = skimage.data.stereo_motorcycle()[2]
    assert found.max_disparity > np.max(truth[np.isfinite(truth)])


def test_swapped_views(motorcycle):
    found = check_rectified(*motorcycle[::-1])
    assert not found.fit
    assert found.swapped
    assert len(found.problems) == 1
    assert "the views are swapped" in found.problems[0]
    assert 45 < found.max_disparity < 130


def test_shifted_by_two_pixels(motorcycle):
    left, right = motorcycle
    found = check_rectified(left, moved(right, [[1, 0, 0], [0, 1, 2]]))
    assert not found.fit
    assert found.offset.shift_px == pytest.approx(2, abs=0.4)
    assert abs(found.offset.turn_deg) < 0.1
    assert re.search(r"the right view is (1\.[6-9]|2\.[0-4]) px lower", found.problems[0])
    assert found.max_disparity is None


def test_turned_by_one_degree(motorcycle):
    left, right = motorcycle
    found = check_rectified(left, turned(right, 1.0))
    assert not found.fit
    assert found.offset.turn_deg == pytest.approx(1, abs=0.2)
    assert "turned by" in found.problems[0]
    assert "run 'corr rectify'" in found.problems[0]


def test_moved_too_far_to_the_right(motorcycle):
    left, right = motorcycle
    found = check_rectified(left, moved(right, [[1, 0, 25], [0, 1, 0]]))
    assert not found.fit
    assert not found.swapped
    assert "have a negative disparity" in found.problems[0]


def test_nothing_to_see(motorcycle):
    left, right = motorcycle
    black = check_rectified(left, np.zeros_like(right))
    assert black.problems == ("the right image is of one colour, so nothing in it can be matched",)
    assert np.isnan(black.median_px)
    other = np.ascontiguousarray(skimage.data.coffee()[: left.shape[0]])
    photo = cv2.resize(other, (left.shape[1], left.shape[0]))
    apart = check_rectified(left, photo)
    assert not apart.fit
    same = check_rectified(left, left)
    assert same.problems == ("both images show the same view: no point has moved by half a pixel",)
    row = check_rectified(left[:1], right[:1])
    assert "points were matched" in row.problems[0]


def test_different_sizes(motorcycle):
    left, right = motorcycle
    with pytest.raises(ImageError, match="a rectified pair has one size"):
        check_rectified(left, right[:, 1:])


def test_the_picture_shows_rows(motorcycle, tmp_path):
    left, right = motorcycle
    picture = check_rectified(left, right).draw(tmp_path / "rows.png")
    assert picture.shape[1] >= 2 * left.shape[1]
    assert picture.shape[0] > left.shape[0]
    green = (picture == (40, 200, 60)).all(axis=2).sum()
    red = (picture == (235, 50, 40)).all(axis=2).sum()
    assert green > 2 * red
    assert (read_image(tmp_path / "rows.png") == picture).all()


def test_offset_by_hand():
    rng = np.random.default_rng(0)
    points = rng.uniform((0, 0), (640, 480), (400, 2))
    x, y = (points - (319.5, 239.5)).T
    away = 1.5 + np.tan(np.radians(0.7)) * x + 0.01 * y
    away[:100] += rng.uniform(-90, 90, 100)  # wrong matches
    shift, turn, scale, remaining = fit_offset(points, away, (480, 640))
    assert shift == pytest.approx(1.5, abs=0.05)
    assert turn == pytest.approx(0.7, abs=0.01)
    assert scale == pytest.approx(1.01, abs=1e-3)
    assert remaining < 0.1


@pytest.mark.parametrize("name", ["middlebury-stereo", "kitti-2012", "flyingthings3d"])
def test_published_pairs_are_fit_and_swapped_ones_are_not(shared_data, name):
    for pair in read_stereo(shared_data / name):
        left, right = read_image(pair.left), read_image(pair.right)
        found = check_rectified(left, right)
        assert found.fit, (pair.name, found.problems)
        assert check_rectified(right, left).swapped, pair.name


@pytest.mark.parametrize("name", ["middlebury-stereo", "kitti-2012"])
def test_published_pairs_broken_on_purpose(shared_data, name):
    pair = read_stereo(shared_data / name)[-1]
    left, right = read_image(pair.left), read_image(pair.right)
    for broken in (moved(right, [[1, 0, 0], [0, 1, 2]]), turned(right, 1.0)):
        assert not check_rectified(left, broken).fit, pair.name
