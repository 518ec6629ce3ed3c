"""The demo's ground truth: it must find errors, and its scenes must be what they say."""

import numpy as np
import pytest
import torch

from corr.demo import scenes
from corr.geometry import sample
from corr.results import Matches


def matches(points0, points1) -> Matches:
    points0, points1 = np.array(points0, np.float32), np.array(points1, np.float32)
    return Matches(points0, points1, np.ones(len(points0), np.float32), (50, 50), (50, 50))


def test_a_point_moves_left_by_the_disparity_of_its_pixel():
    truth = np.full((4, 20), 2.0, np.float32)
    truth[1, 10] = 5.0
    locate = scenes.locate_by_disparity(truth)
    points = np.array([[10.4, 0.6], [10.2, 1.0], [7.0, 3.0]], np.float32)
    assert locate(points) == pytest.approx(np.array([[5.4, 0.6], [5.2, 1.0], [5.0, 3.0]]))


def test_unknown_hidden_and_outside_points_are_not_judged():
    truth = np.full((1, 20), 2.0, np.float32)
    truth[0, 15] = 6.0  # lands on 9, where pixel 11 lands too: 11 is hidden behind it
    truth[0, 3] = np.inf
    locate = scenes.locate_by_disparity(truth)
    points = np.array([[11, 0], [3, 0], [1, 0], [15, 0], [12, 0]], np.float32)
    known = np.isfinite(locate(points)).all(axis=1)
    assert known.tolist() == [False, False, False, True, True]


def test_judge_keeps_what_is_known_and_finds_errors():
    homography = np.array([[1.0, 0, 10], [0, 1, 0], [0, 0, 1]])
    locate = scenes.locate_by_homography(homography, (50, 50))
    image = np.zeros((50, 50, 3), np.uint8)
    scene = scenes.Scene("shift", "Shift", "", image, image, locate)
    found = matches(
        [[0, 0], [5, 5], [5, 5], [45, 5]],  # the last one leaves image 1
        [[10, 3], [15, 8.1], [12.9, 2.9], [55, 5]],
    )
    judged, correct = scene.judge(found)
    assert judged.keypoints0.tolist() == [[0, 0], [5, 5], [5, 5]]
    assert correct.tolist() == [True, False, True]


def test_no_matches():
    scene = scenes.astronaut()
    judged, correct = scene.judge(matches(np.zeros((0, 2)), np.zeros((0, 2))))
    assert (len(judged), len(correct)) == (0, 0)


def read(image, points) -> np.ndarray:
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    return sample(tensor, torch.from_numpy(points.astype(np.float32))[None])[0].numpy()


@pytest.mark.parametrize("make", [scenes.motorcycle, scenes.astronaut])
def test_both_views_look_alike_where_the_truth_says(make):
    scene = make()
    height, width = scene.image0.shape[:2]
    random = np.random.default_rng(0)
    points0 = random.random((4000, 2)) * [width - 1, height - 1]
    points1 = scene.locate(points0)
    known = np.isfinite(points1).all(axis=1)
    assert known.mean() > 0.5
    colour0 = read(scene.image0, points0[known]).ravel()
    similar = np.corrcoef(colour0, read(scene.image1, points1[known]).ravel())[0, 1]
    mirrored = 2 * points0[known] - points1[known]
    opposite = np.corrcoef(colour0, read(scene.image1, mirrored).ravel())[0, 1]
    assert similar > 0.9
    assert similar > opposite + 0.1


def test_scenes_are_the_same_each_time():
    assert np.array_equal(scenes.astronaut().image1, scenes.astronaut().image1)
