import numpy as np

from corr.volume.presets import preset
from corr.volume.sums import UNIT, mean_cost


def _rows(volume):
    return lambda top, bottom: volume[top:bottom]


def test_costs_are_averaged_in_units_of_their_own_penalty():
    bits = np.random.default_rng(0).integers(0, 63, (6, 7, 5)).astype(np.uint8)
    angles = np.random.default_rng(1).integers(0, 256, (6, 7, 5)).astype(np.uint8)
    census, descriptors = preset("census"), preset("descriptors")
    rows, chosen = mean_cost([(_rows(bits), census), (_rows(angles), descriptors)])
    assert chosen.penalties.small == UNIT
    assert chosen.penalties.large == round(UNIT * census.penalties.large / census.penalties.small)
    expected = UNIT / 2 * (bits / census.penalties.small + angles / descriptors.penalties.small)
    found = rows(2, 5)
    assert found.dtype == np.uint16
    assert np.abs(found - expected[2:5]).max() <= 1


def test_one_cost_alone_stays_as_it_is():
    rows = _rows(np.zeros((2, 3, 4), np.uint8))
    assert mean_cost([(rows, preset("census"))]) == (rows, preset("census"))
