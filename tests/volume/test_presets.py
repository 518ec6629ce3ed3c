import numpy as np
import pytest

from corr.errors import OptionError, ShapeError
from corr.volume.penalties import StepPenalties
from corr.volume.presets import preset, presets
from corr.volume.solve import solve


@pytest.mark.parametrize("name", presets())
def test_every_preset_names_its_source_and_finds_a_plain_shift(name):
    chosen = preset(name)
    assert len(chosen.source) > 20
    rng = np.random.default_rng(0)
    cost = rng.integers(100, 256, (60, 70, 12)).astype(np.uint8)
    cost[:, :, 5] = 10
    image = rng.integers(0, 256, (60, 70, 3)).astype(np.uint8)
    found = solve(cost, image, 12, chosen)
    np.testing.assert_allclose(found.disparity, 5, atol=0.3)
    assert found.valid[:, 5:].all()
    assert not found.valid[:, :4].any()  # what lies there is outside the right image


def test_those_of_mc_cnn_are_its_published_numbers_in_our_unit():
    for name, p1, p2_over_p1, q1, q2 in [
        ("mc-cnn-fast-middlebury", 2.3, 24.3, 4, 2),
        ("mc-cnn-fast-kitti", 4, 55.72, 3, 2.5),
    ]:
        penalties = preset(name).penalties
        assert isinstance(penalties, StepPenalties)
        assert penalties.small == round(p1 * 127.5)
        assert penalties.large == min(round(p1 * p2_over_p1 * 127.5), 8191 - 255)
        assert penalties.quotient == q1 * q2


def test_a_volume_of_another_range_is_refused():
    with pytest.raises(ShapeError, match="does not hold 5 disparities"):
        solve(np.zeros((3, 4, 6), np.uint8), np.zeros((3, 4, 3), np.uint8), 5)


def test_an_unknown_preset_is_refused():
    with pytest.raises(OptionError, match="preset 'best' is not known; use one of census"):
        preset("best")
