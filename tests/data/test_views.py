"""Views of a photograph: within it, where they say, and without aliasing."""

import numpy as np
import pytest
import skimage.data

from corr.data.views import Views, take_view
from corr.errors import OptionError


def area(corners: np.ndarray) -> float:
    x, y = corners.T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_views_lie_within_their_photograph():
    rng = np.random.default_rng(0)
    views = Views(min_area=0.2, max_rotation_deg=90.0, max_perspective=0.4)
    for size in ((100, 300), (300, 100), (64, 64)):
        for _ in range(200):
            corners = views.draw(size, rng)
            assert (corners >= -0.5 - 1e-9).all()
            assert (corners <= np.array([size[1], size[0]]) - 0.5 + 1e-9).all()


def test_views_are_as_large_and_as_turned_as_they_may_be():
    rng = np.random.default_rng(1)
    views = Views(
        min_area=0.1, max_area=0.2, max_rotation_deg=30.0, max_perspective=0.0, max_aspect=1.0
    )
    drawn = [views.draw((400, 400), rng) for _ in range(300)]
    shares = np.array([area(corners) for corners in drawn]) / 400**2
    assert shares.min() == pytest.approx(0.1, abs=0.005)
    assert shares.max() == pytest.approx(0.2, abs=0.005)
    edges = np.array([corners[1] - corners[0] for corners in drawn])
    angles = np.rad2deg(np.arctan2(edges[:, 1], edges[:, 0]))
    assert np.abs(angles).max() == pytest.approx(30, abs=1)
    assert (angles > 20).any()
    assert (angles < -20).any()


def test_the_same_state_draws_the_same_view():
    first, second = (Views().draw((90, 120), np.random.default_rng(3)) for _ in range(2))
    assert (first == second).all()


def test_an_upright_view_is_a_part_of_the_photograph():
    photo = skimage.data.astronaut()
    corners = np.array([[40, 20], [104, 20], [104, 84], [40, 84]]) - 0.5
    view = take_view(photo, corners, 64)
    assert np.abs(view.astype(int) - photo[20:84, 40:104]).max() <= 1


def test_the_whole_photograph_reduced_is_its_average():
    photo = skimage.data.astronaut()
    view = take_view(photo, np.array([[0, 0], [512, 0], [512, 512], [0, 512]]) - 0.5, 64)
    average = photo.reshape(64, 8, 64, 8, 3).mean((1, 3))
    assert np.abs(view - average).max() <= 1


def test_stripes_too_fine_to_see_become_grey():
    photo = np.zeros((512, 512, 3), np.uint8)
    photo[:, ::2] = 255
    rng = np.random.default_rng(0)
    view = take_view(photo, Views(min_area=0.9, max_rotation_deg=0.0).draw((512, 512), rng), 64)
    assert np.abs(view[4:-4, 4:-4].astype(float) - 127.5).max() < 30


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_area": 0.0}, r"min_area is 0\.0"),
        ({"min_area": 0.9, "max_area": 0.5}, "the smaller first"),
        ({"max_aspect": 0.5}, r"max_aspect is 0\.5; use 1 or more"),
        ({"max_rotation_deg": 200.0}, "use 0 to 180"),
        ({"max_perspective": 0.5}, r"max_perspective is 0\.5; use a value in \[0, 0\.5\)"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(OptionError, match=message):
        Views(**settings)
