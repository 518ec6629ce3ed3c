import numpy as np
import pytest

from corr.volume.border import continue_border


def _border(slope, noise=0.0, height=30, width=120):
    """A plane that falls to the right, seen from where its match is inside the right view."""
    column = np.arange(width)
    truth = np.broadcast_to(30 + slope * column, (height, width)).astype(np.float32)
    valid = column - truth >= 0
    rng = np.random.default_rng(0)
    found = np.where(valid, truth + rng.normal(0, noise, truth.shape), 0).astype(np.float32)
    first = valid.argmax(axis=1)[0]
    filled = np.where(valid, found, found[:, first : first + 1])
    return truth, valid, filled


@pytest.mark.parametrize("slope", [-0.3, -0.1, 0.0, 0.2])
def test_a_slanted_surface_goes_on_to_the_border(slope):
    truth, valid, filled = _border(slope, noise=0.2)
    found = continue_border(filled, valid)
    np.testing.assert_array_equal(found[valid], filled[valid])
    assert np.abs(found - truth)[~valid].mean() < 0.6
    if slope:
        assert np.abs(found - truth)[~valid].max() < np.abs(filled - truth)[~valid].max()


def test_a_level_surface_stays_as_it_is_filled():
    _, valid, filled = _border(0.0)
    np.testing.assert_allclose(continue_border(filled, valid), filled, atol=1e-4)


def test_another_surface_behind_the_first_matches_does_not_tilt_them():
    truth, valid, filled = _border(-0.1)
    filled[:, 50:] = 3
    found = continue_border(filled, valid)
    assert np.abs(found - truth)[~valid].max() < 0.5


def test_a_rough_surface_is_not_tilted():
    truth, valid, filled = _border(-0.1)
    bumps = np.random.default_rng(1).choice([-0.9, 0.9], truth.shape)
    rough = filled + bumps.astype(np.float32)
    found = continue_border(np.where(valid, rough, filled), valid)
    first = valid.argmax(axis=1)[0]
    values = np.where(valid, rough, filled)[:, first]
    outside = values[:, None] > np.arange(first)
    expected = np.where(outside, values[:, None], filled[:, :first])
    np.testing.assert_allclose(found[:, :first], expected, atol=1e-4)


def test_holes_that_the_right_view_shows_are_left_alone():
    truth, valid, filled = _border(-0.2)
    valid[:, :60] = False
    filled[:, :60] = 7
    found = continue_border(filled, valid)
    seen = np.arange(120) >= truth
    assert (found[seen & ~valid] == 7).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 2)])
def test_maps_with_few_or_no_matches_stay(shape):
    disparity = np.full(shape, 2, np.float32)
    for valid in (np.zeros(shape, bool), np.ones(shape, bool)):
        np.testing.assert_array_equal(continue_border(disparity, valid), disparity)
