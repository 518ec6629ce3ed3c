"""Matches kept by their neighbours."""

import numpy as np
import pytest

from corr.classical.locality import keep_local


def scene(num_right, num_wrong, seed=0, angle_deg=20.0, zoom=1.3):
    """Points of a textured plane seen twice, and wrong matches spread over both images."""
    rng = np.random.default_rng(seed)
    points0 = rng.uniform(0, (640, 480), (num_right + num_wrong, 2))
    angle = np.deg2rad(angle_deg)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points1 = (points0 - (320, 240)) @ turn.T + (330, 220)
    points1[num_right:] = rng.uniform(0, (640, 480), (num_wrong, 2))
    order = rng.permutation(len(points0))
    return points0[order], points1[order], order < num_right


@pytest.mark.parametrize("wrong", [20, 300, 900])
def test_right_matches_stay_and_wrong_ones_go(wrong):
    points0, points1, right = scene(300, wrong)
    kept = keep_local(points0, points1)
    assert kept[right].mean() > 0.9
    assert right[kept].mean() > (0.9 if wrong <= 300 else 0.85)


def test_two_bodies_that_move_apart_are_both_kept():
    """No homography and no fundamental matrix holds both."""
    first, second = scene(200, 0, 1, 0.0, 1.0), scene(200, 0, 2, 35.0, 0.8)
    points0 = np.concatenate((first[0] * (0.45, 1), second[0] * (0.45, 1) + (340, 0)))
    points1 = np.concatenate((first[1] * (0.45, 1) + (-40, 60), second[1] + (100, -30)))
    rng = np.random.default_rng(3)
    points1[::5] = rng.uniform(0, (640, 480), points1[::5].shape)
    kept = keep_local(points0, points1)
    right = np.arange(len(points0)) % 5 > 0
    assert kept[right].mean() > 0.85
    assert kept[~right].mean() < 0.1


def test_matches_by_chance_hardly_survive():
    points0, points1, _ = scene(0, 600)
    assert keep_local(points0, points1).mean() < 0.02


def test_still_images_and_points_at_one_place():
    """Matches that do not move agree with one another; copies of one are neighbours."""
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 400, (50, 2))
    assert keep_local(points, points).all()
    assert keep_local(np.repeat(points, 3, 0), np.repeat(points + 5, 3, 0)).all()


@pytest.mark.parametrize("number", [0, 1, 8])
def test_too_few_to_have_neighbours(number):
    points = np.arange(2.0 * number).reshape(number, 2)
    assert not keep_local(points, points).any()
