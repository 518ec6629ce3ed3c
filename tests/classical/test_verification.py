"""The matrix that most matches agree on."""

import cv2
import numpy as np
import pytest

from corr.classical.verification import verify_matches
from corr.errors import OptionError, ShapeError

HOMOGRAPHY = np.array([[0.9, -0.2, 30], [0.15, 1.1, -12], [1e-4, -2e-4, 1]])


def planar(num_right: int = 120, num_wrong: int = 80) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    points0 = rng.uniform(0, 500, (num_right + num_wrong, 2))
    points1 = cv2.perspectiveTransform(points0[None], HOMOGRAPHY)[0]
    points1[num_right:] = rng.uniform(0, 500, (num_wrong, 2))
    return points0, points1, np.arange(num_right + num_wrong) < num_right


def solid(num_right: int = 120, num_wrong: int = 60) -> tuple[np.ndarray, ...]:
    """Points in space, seen by two cameras side by side that are turned against each other."""
    rng = np.random.default_rng(1)
    space = rng.uniform([-2, -2, 4], [2, 2, 9], (num_right + num_wrong, 3))
    turn = cv2.Rodrigues(np.array([0.05, -0.2, 0.02]))[0]
    camera = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    views = []
    for points in (space, space @ turn.T + [0.8, 0.1, 0.2]):
        seen = points @ camera.T
        views.append(seen[:, :2] / seen[:, 2:])
    points1 = views[1]
    points1[num_right:] = rng.uniform(0, 500, (num_wrong, 2))
    return views[0], points1, np.arange(num_right + num_wrong) < num_right


def test_a_homography_is_found_among_wrong_matches() -> None:
    points0, points1, right = planar()
    matrix, agrees = verify_matches(points0, points1, "homography")
    assert matrix is not None
    np.testing.assert_allclose(matrix / matrix[2, 2], HOMOGRAPHY, rtol=1e-4, atol=1e-6)
    assert agrees[right].all()
    assert agrees[~right].mean() < 0.05


def test_a_fundamental_matrix_is_found_among_wrong_matches() -> None:
    points0, points1, right = solid()
    matrix, agrees = verify_matches(points0, points1, "fundamental", threshold_px=1.0)
    assert matrix is not None
    assert agrees[right].mean() > 0.97
    assert agrees[~right].mean() < 0.15
    homogeneous = [np.c_[p, np.ones(len(p))][right] for p in (points0, points1)]
    lines = homogeneous[0] @ matrix.T  # in image 1
    distance = np.abs((homogeneous[1] * lines).sum(1)) / np.linalg.norm(lines[:, :2], axis=1)
    assert np.median(distance) < 0.05


@pytest.mark.parametrize("model", ["homography", "fundamental"])
def test_the_answer_is_the_same_each_time(model: str) -> None:
    points0, points1, _ = planar(60, 140) if model == "homography" else solid(60, 140)
    points1 = points1 + np.random.default_rng(2).normal(0, 1, points1.shape)
    first, agrees = verify_matches(points0, points1, model)
    for seed in range(3):
        cv2.setRNGSeed(seed)
        again, agrees_again = verify_matches(points0, points1, model)
        np.testing.assert_array_equal(first, again)
        np.testing.assert_array_equal(agrees, agrees_again)


@pytest.mark.parametrize(("model", "least"), [("homography", 4), ("fundamental", 8)])
def test_too_few_matches_agree_on_nothing(model: str, least: int) -> None:
    points0, points1, _ = planar() if model == "homography" else solid()
    for count in range(least):
        matrix, agrees = verify_matches(points0[:count], points1[:count], model)
        assert matrix is None
        assert agrees.tolist() == [False] * count
    matrix, agrees = verify_matches(points0[:least], points1[:least], model)
    assert matrix is not None
    assert agrees.sum() == least


@pytest.mark.parametrize("model", ["homography", "fundamental"])
def test_points_that_determine_no_matrix_agree_on_nothing(model: str) -> None:
    same = np.zeros((30, 2))
    in_line = np.repeat(np.arange(30.0)[:, None], 2, 1)
    for points in (same, in_line):
        matrix, agrees = verify_matches(points, points, model)
        assert matrix is None
        assert not agrees.any()


def test_options_outside_what_is_accepted_are_refused() -> None:
    points = np.zeros((5, 2))
    with pytest.raises(OptionError, match="model 'affine' is not known; use one of homography"):
        verify_matches(points, points, "affine")
    with pytest.raises(OptionError, match=r"threshold_px is 0\.0; use a value above 0"):
        verify_matches(points, points, "homography", threshold_px=0.0)
    with pytest.raises(ShapeError, match=r"points are \(5, 2\) and \(4, 2\)"):
        verify_matches(points, points[:4], "homography")
