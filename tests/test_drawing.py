"""Pictures: the pixels that can be worked out by hand, and that nothing goes out of the canvas."""

import cv2
import numpy as np
import pytest

from corr.drawing import (
    draw_curves,
    draw_disparity,
    draw_error,
    draw_flow,
    draw_flow_error,
    draw_keypoints,
    draw_matches,
)
from corr.drawing.flow import flow_colours
from corr.drawing.strip import round_steps

GREY = np.full((60, 80, 3), 128, np.uint8)


def test_disparity_ends_of_the_scale_and_unknown():
    disparity = np.full((120, 240), 10.0, np.float32)
    disparity[0, 0] = 0
    disparity[0, 1] = np.nan
    disparity[0, 2] = 40
    picture = draw_disparity(disparity, 20)
    levels = np.arange(256, dtype=np.uint8)[:, None]
    viridis = cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[:, 0, ::-1]
    assert picture[0, 0].tolist() == viridis[0].tolist()
    assert picture[0, 1].tolist() == [0, 0, 0]
    assert picture[0, 2].tolist() == viridis[255].tolist()
    assert picture[5, 5].tolist() == viridis[128].tolist()
    assert picture.shape[0] > 120
    assert picture.shape[1] == 240


def test_disparity_scale_shows_the_same_colours_as_the_map():
    ramp = np.tile(np.linspace(0, 50, 600, dtype=np.float32), (90, 1))
    picture = draw_disparity(ramp)
    strip = picture[90:].reshape(-1, 3)
    shown = {tuple(colour) for colour in strip}
    for colour in (picture[0, 0], picture[0, 300], picture[0, 599]):
        assert tuple(colour) in shown


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e-6, 1e6])
@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3)])
def test_odd_maps_are_drawn(value, shape):
    disparity = np.full(shape, value, np.float32)
    for picture in (
        draw_disparity(disparity),
        draw_error(disparity, disparity),
        draw_flow(np.dstack((disparity, disparity))),
    ):
        assert picture.dtype == np.uint8
        assert picture.shape[0] > shape[0]
        assert picture.shape[1] >= shape[1]
        assert (picture[: shape[0], : shape[1]] == picture[0, 0]).all()


def test_error_colours_turn_at_the_threshold():
    truth = np.zeros((50, 50), np.float32)
    estimate = np.zeros_like(truth)
    estimate[0, :4] = [2.0, 2.01, 1.0, 50.0]
    estimate[0, 4] = np.nan
    truth[0, 5] = np.nan
    estimate[0, 6] = -2.01
    picture = draw_error(estimate, truth, 2.0).astype(int)
    red, blue = picture[0, :4, 0], picture[0, :4, 2]
    assert (red > blue).tolist() == [False, True, False, True]
    assert picture[0, 4].tolist() == [255, 0, 255]
    assert picture[0, 5].tolist() == [0, 0, 0]
    assert (picture[0, 6] == picture[0, 1]).all()
    assert (picture[1, 1] == [49, 54, 149]).all()


@pytest.mark.parametrize(("width", "count"), [(80, 3), (512, 5), (1100, 5), (1700, 9), (5000, 9)])
def test_labels_of_errors_do_not_touch(width, count):
    picture = draw_flow_error(*np.zeros((2, 100, width, 2), np.float32), 1.0)
    strip = picture[100:].astype(int)
    rows, columns = ((strip == [49, 54, 149]).all(2)).nonzero()
    ink = (strip[rows.max() + 5 :, columns.min() :].min(2) < 128).any(0).nonzero()[0]
    font_px = round(min(max(max(100, width) / 45, 11), 28))
    assert (np.diff(ink) > 0.45 * font_px).sum() + 1 == count


def test_flow_wheel_against_its_known_colours():
    # Middlebury's wheel: right is red, down is yellow, left is cyan-blue, no motion is white.
    directions = np.array([[[1, 0], [0, 0], [2, 0], [np.nan, 0]]], np.float32)
    right, still, far, unknown = flow_colours(directions)[0].tolist()
    assert right == [255, 0, 0]
    assert still == [255, 255, 255]
    assert far == [191, 0, 0]
    assert unknown == [0, 0, 0]
    down = flow_colours(np.array([[[0, 1]]], np.float32))[0, 0].astype(int)
    assert down[0] > 200
    assert down[1] > 200
    assert down[2] == 0
    left = flow_colours(np.array([[[-1, 0]]], np.float32))[0, 0].astype(int)
    assert left[0] == 0
    assert left[2] == 255


def test_flow_wheel_against_the_published_loop():
    def colour(u, v):
        wheel = np.zeros((55, 3))
        k = 0
        for count, channel, other, rising in [
            (15, 0, 1, True),
            (6, 1, 0, False),
            (4, 1, 2, True),
            (11, 2, 1, False),
            (13, 2, 0, True),
            (6, 0, 2, False),
        ]:
            for i in range(count):
                wheel[k, channel] = 255
                wheel[k, other] = 255 * i / count if rising else 255 - 255 * i / count
                k += 1
        radius = np.hypot(u, v)
        fk = (np.arctan2(-v, -u) / np.pi + 1) / 2 * 54
        k0 = int(fk)
        base = (1 - (fk - k0)) * wheel[k0] / 255 + (fk - k0) * wheel[(k0 + 1) % 55] / 255
        return 255 * (1 - radius * (1 - base)) if radius <= 1 else 255 * base * 0.75

    flow = np.random.default_rng(0).uniform(-1.2, 1.2, (9, 11, 2)).astype(np.float32)
    expected = np.array([[colour(*vector) for vector in row] for row in flow])
    assert np.abs(flow_colours(flow).astype(float) - expected).max() <= 1.5


def test_flow_is_scaled_by_the_longest_or_as_told():
    flow = np.zeros((50, 50, 2), np.float32)
    flow[0, 0, 0] = 8
    flow[0, 1, 0] = 4
    assert draw_flow(flow)[0, 0].tolist() == [255, 0, 0]
    assert draw_flow(flow, 4.0)[0, 1].tolist() == [255, 0, 0]
    assert draw_flow(flow, 4.0)[0, 0].tolist() == [191, 0, 0]


def test_matches_join_the_right_pixels():
    point0, point1 = np.array([[10.0, 20.0]], np.float32), np.array([[30.0, 40.0]], np.float32)
    picture = draw_matches(GREY, GREY, point0, point1, np.ones(1, np.float32))
    changed = np.argwhere((picture[:60] != 128).any(2) & (picture[:60] != 255).any(2))
    assert np.abs(changed - [20, 10]).sum(1).min() == 0
    gap = 6
    assert np.abs(changed - [40, 80 + gap + 30]).sum(1).min() == 0
    middle = [(20 + 40) / 2, (10 + 80 + gap + 30) / 2]
    assert np.abs(changed - middle).sum(1).min() <= 1


def test_right_matches_are_green_and_wrong_ones_red():
    points = np.array([[20.0, 15.0], [20.0, 45.0]], np.float32)
    picture = draw_matches(
        GREY, GREY, points, points, np.ones(2, np.float32), np.array([True, False])
    ).astype(int)
    assert picture[15, 20, 1] > picture[15, 20, 0]
    assert picture[45, 20, 0] > picture[45, 20, 1]


def test_the_images_are_not_touched():
    image = GREY.copy()
    points = np.array([[20.0, 15.0]], np.float32)
    ones = np.ones(1, np.float32)
    draw_keypoints(image, points, 5 * ones, ones)
    draw_matches(image, image, points, points, ones)
    assert (image == 128).all()


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_images_of_different_sizes_and_any_number(count):
    rng = np.random.default_rng(0)
    points = rng.uniform(-50, 200, (count, 2)).astype(np.float32)
    scores = rng.random(count).astype(np.float32)
    other = np.zeros((10, 33, 3), np.uint8)
    picture = draw_matches(GREY, other, points, points, scores)
    assert picture.shape[0] > 60
    assert picture.shape[1] >= 80 + 33
    keypoints = draw_keypoints(GREY, points, scores, scores)
    assert keypoints.shape == GREY.shape
    inside = ((points >= 0) & (points < [80, 60])).all(1).any()
    assert (keypoints != GREY).any() == inside


def test_points_that_are_no_numbers_are_left_out():
    points = np.array([[np.nan, 1.0], [np.inf, 2.0], [1e30, 5.0]], np.float32)
    ones = np.ones(3, np.float32)
    assert draw_keypoints(GREY, points[:2], ones[:2], ones[:2]).shape == GREY.shape
    draw_keypoints(GREY, points, ones, ones)
    draw_matches(GREY, GREY, points, points, ones)


def test_keypoint_is_a_circle_of_its_scale_with_a_spoke():
    keypoint = np.array([[40.0, 30.0]], np.float32)
    ten, down = np.full(1, 10, np.float32), np.full(1, 90, np.float32)
    picture = draw_keypoints(GREY, keypoint, ten, down)
    changed = (picture != 128).any(2)
    for x, y in [(50, 30), (30, 30), (40, 20), (40, 40), (40, 35)]:
        assert changed[y, x]
    assert not changed[25, 40]
    assert not changed[30, 55]


def test_curves_have_their_size_and_follow_the_data():
    steps, flat = np.arange(100), np.full(100, 0.5)
    one = draw_curves({"a": (steps, flat)}, "title")
    assert one.shape == (450, 720, 3)
    assert one.dtype == np.uint8
    falling = draw_curves({"a": (steps, np.linspace(1, 0, 100))}, "title")
    assert (one != falling).any()
    two = draw_curves({"a": (steps, flat), "b": ([0, 99], [1.0, 2.0])}, "title", log_y=True)
    assert (two != one).any()


def test_curves_of_nothing_and_of_broken_values():
    zoomed = {"a": ([0.5, 1.0, 2.0], [70.0, 100.0, np.nan])}
    drawn = [
        draw_curves(zoomed, "zoom", **how) for how in ({}, {"log_x": True}, {"from_zero": True})
    ]
    assert not any(np.array_equal(drawn[0], other) for other in drawn[1:])
    assert draw_curves({}, "nothing yet", log_x=True, from_zero=True).shape == (450, 720, 3)
    assert draw_curves({}, "nothing yet").shape == (450, 720, 3)
    draw_curves({"a": ([], []), "b": ([1, 2, 3], [np.nan, np.inf, 1.0])}, "broken")


@pytest.mark.parametrize(
    ("limit", "most", "expected"),
    [
        (64, 5, [0, 20, 40, 60]),
        (57, 2, [0, 50]),
        (1, 3, [0, 0.5, 1]),
        (0.03, 4, [0, 0.01, 0.02, 0.03]),
    ],
)
def test_round_steps(limit, most, expected):
    np.testing.assert_allclose(round_steps(float(limit), most), expected)
