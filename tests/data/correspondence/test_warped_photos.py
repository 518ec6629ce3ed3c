"""Bent photographs: nothing folds, and pictures follow the flow."""

import numpy as np
import pytest
from brought_back import error_beside_still

from corr.data import WarpedPhotos
from corr.data.correspondence.bending import Bending
from corr.data.photometric import Photometry
from corr.data.random_filter import RandomFilter
from corr.errors import OptionError

SIDE = 96


def grid(side: int) -> np.ndarray:
    x, y = np.meshgrid(np.arange(0, side, 5), np.arange(0, side, 5))
    return np.stack((x, y), -1).reshape(-1, 2).astype(float)


@pytest.mark.parametrize("seed", range(12))
def test_nothing_folds_and_most_is_seen(seed):
    """No two places of the bent view show the same: neighbours keep their order around a place."""
    bends = Bending(max_bend=0.12, mirrored=0.5).draw(SIDE, np.random.default_rng(seed))
    assert bends.least_area() >= 0.2
    seen = bends(grid(SIDE))
    assert ((seen >= 0) & (seen <= SIDE - 1)).all(1).mean() > 0.3
    right, down = (bends(grid(SIDE) + step) - seen for step in ((1, 0), (0, 1)))
    area = right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0]
    assert (np.sign(area) == np.sign(area[0])).all()


def test_half_of_the_views_are_mirrored_when_asked():
    signs = []
    for seed in range(40):
        bends = Bending(mirrored=0.5).draw(SIDE, np.random.default_rng(seed))
        corners = bends(np.array([[40.0, 40], [50, 40], [40, 50]]))
        signs.append(np.linalg.det(corners[1:] - corners[0]) < 0)
    assert 10 <= sum(signs) <= 30


def test_without_any_bend_the_map_is_the_identity():
    plain = Bending(
        max_bend=0.0, max_rotation_deg=0.0, max_zoom=1.0, max_tilt=1.0, max_shift=0.0, mirrored=0.0
    ).draw(SIDE, np.random.default_rng(0))
    assert np.allclose(plain(grid(SIDE)), grid(SIDE))


@pytest.mark.parametrize("seed", range(4))
def test_pictures_follow_the_flow(seed):
    source = WarpedPhotos(photometry=Photometry(probability=0.0), filtering=RandomFilter(0.0))
    pair = source.pair(seed % len(source), SIDE, np.random.default_rng(seed))
    assert error_beside_still(pair) < 0.4


def test_a_pair_depends_on_its_random_numbers_alone():
    pairs = [WarpedPhotos().pair(1, 64, np.random.default_rng(5)) for _ in range(2)]
    assert np.array_equal(pairs[0].image1, pairs[1].image1)
    assert np.array_equal(pairs[0].flow_0to1, pairs[1].flow_0to1, equal_nan=True)


def test_held_out_photos_are_others():
    assert len(WarpedPhotos(held_out=True)) == 2
    assert len(WarpedPhotos()) == 7


def test_wrong_settings():
    with pytest.raises(OptionError, match=r"min_share is 0\.0; use"):
        WarpedPhotos(min_share=0.0)
    for settings, message in (
        ({"max_bend": 0.5}, "max_bend is 0.5"),
        ({"max_zoom": 0.9}, "max_zoom is 0.9; use 1 or more"),
        ({"max_rotation_deg": 181.0}, "max_rotation_deg is 181"),
        ({"mirrored": 2.0}, "mirrored is 2"),
    ):
        with pytest.raises(OptionError, match=message):
            Bending(**settings)
