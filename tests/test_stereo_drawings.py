"""Pictures of depth, confidence and rows: pixels that can be worked out by hand."""

import numpy as np
import pytest

from corr.drawing import draw_confidence, draw_depth
from corr.drawing.colour_maps import viridis
from corr.drawing.rows import draw_rows


def test_depth_from_near_to_far():
    depth = np.tile(np.geomspace(1, 100, 901, dtype=np.float32), (80, 1))
    depth[0, 0] = np.nan
    picture = draw_depth(depth)
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[40, 0].tolist() == viridis()[255].tolist(), "near is yellow"
    assert picture[40, 900].tolist() == viridis()[0].tolist()
    middle = viridis()[126:130].tolist()
    assert picture[40, 450].tolist() in middle, "equal ratios are equal steps"
    # The scale has the colours of the map.
    strip = {tuple(colour) for colour in picture[80:].reshape(-1, 3)}
    assert all(tuple(picture[40, x]) in strip for x in (0, 300, 900))


def test_confidence_and_what_was_filled():
    confidence = np.tile(np.linspace(0, 1, 101, dtype=np.float32), (90, 3))
    picture = draw_confidence(confidence)
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[0, 100].tolist() == viridis()[255].tolist()
    assert picture[0, 50].tolist() == viridis()[128].tolist()


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e-6, 1e6])
@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3)])
def test_odd_maps_are_drawn(value, shape):
    for draw in (draw_depth, draw_confidence):
        picture = draw(np.full(shape, value, np.float32))
        assert picture.shape[0] > shape[0]
        assert (picture[: shape[0], : shape[1]] == picture[0, 0]).all()


def test_rows_are_green_or_red():
    image = np.full((100, 160, 3), 200, np.uint8)
    left = np.array([[40.0, 20.0], [60.0, 60.0]])
    right = np.array([[30.0, 20.0], [50.0, 66.0]])
    picture = draw_rows(image, image, left, right, 0.75)
    green, red = picture[20, 100].astype(int), picture[60, 60].astype(int)
    assert green[1] > 2 * green[0]
    assert red[0] > 2 * red[1]
    assert picture[60, 166 + 140].min() > 200, "the row that the point should be on"
    assert draw_rows(image, image, left[:0], right[:0], 0.75).shape[0] > 100
