"""Keypoints that a caller gives."""

import numpy as np
import pytest

from corr.classical.keypoints import Keypoints
from corr.errors import OptionError, ShapeError
from corr.extractors.keypoints import GIVEN_SCALE, given_keypoints
from corr.results import Features

SIZE = (40, 60)


def features(points: np.ndarray) -> Features:
    ones = np.ones(len(points), np.float32)
    return Features(points, np.zeros((len(points), 4), np.float32), ones, 2 * ones, 30 * ones, SIZE)


def test_points_are_upright_at_the_stated_scale_in_their_order() -> None:
    placed = given_keypoints([[50, 3], [1.5, 2]], SIZE)
    assert placed.points.tolist() == [[50, 3], [1.5, 2]]
    assert placed.points.dtype == np.float32
    assert placed.scale.tolist() == pytest.approx([GIVEN_SCALE] * 2)
    assert placed.angle_deg.tolist() == [0, 0]
    assert placed.scores.tolist() == [1, 1]
    assert len(given_keypoints([], SIZE)) == 0


def test_features_and_keypoints_keep_their_scale_and_angle() -> None:
    placed = given_keypoints(features(np.array([[4, 5]], np.float32)), SIZE)
    assert (placed.scale.tolist(), placed.angle_deg.tolist()) == ([2], [30])
    assert given_keypoints(placed, SIZE) is placed


def test_the_whole_area_of_the_outermost_pixels_is_inside() -> None:
    assert len(given_keypoints([[-0.5, -0.5], [59.5, 39.5]], SIZE)) == 2


@pytest.mark.parametrize("point", [(-0.6, 0), (59.6, 0), (0, 39.6), (float("nan"), 0)])
def test_points_outside_the_image_are_refused(point: tuple[float, float]) -> None:
    with pytest.raises(
        OptionError, match=r"keypoint 1 at \(.*\) lies outside the image of 60 x 40"
    ):
        given_keypoints([(3, 3), point], SIZE)


def test_a_scale_of_zero_is_refused() -> None:
    one = np.ones(1, np.float32)
    with pytest.raises(OptionError, match="keypoint 0 has scale 0 and angle 1; use a scale above"):
        given_keypoints(Keypoints(np.array([[3, 3]], np.float32), 0 * one, one, one), SIZE)


@pytest.mark.parametrize("table", [np.zeros((3, 3)), np.zeros(4), np.array([["a", "b"]])])
def test_other_tables_are_refused(table: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"keypoints are a \(.*\) table of .*; use \(N, 2\)"):
        given_keypoints(table, SIZE)
