"""A confidence that rises with what speaks for a pixel."""

import numpy as np
import pytest

from corr.volume.confidence import Calibration, Cues, calibration, calibrations, measure_cues
from corr.volume.presets import presets


def one(value):
    return np.full((1, 1), value, np.float32)


def test_by_hand():
    weights = Calibration(constant=-1.0, peak_ratio=2.0, agreement=3.0, moved=0.5)
    found = weights.probability(Cues(one(0.5), one(1.0), one(2.0)))
    assert found.dtype == np.float32
    assert float(found[0, 0]) == pytest.approx(1 / (1 + np.exp(-2.0)))


@pytest.mark.parametrize("name", sorted(calibrations()))
def test_it_rises_and_falls_with_each_cue(name):
    weights = calibrations()[name]
    assert min(weights.peak_ratio, weights.agreement, weights.moved) >= 0
    before = weights.probability(Cues(one(0.4), one(0.5), one(0.5)))[0, 0]
    assert weights.probability(Cues(one(0.6), one(0.5), one(0.5)))[0, 0] > before
    assert weights.probability(Cues(one(0.4), one(0.9), one(0.5)))[0, 0] > before
    assert weights.probability(Cues(one(0.4), one(0.5), one(2.0)))[0, 0] <= before


def test_cues_of_a_map():
    valid = np.ones((60, 80), bool)
    valid[:, 40:] = False
    winner = np.full((60, 80), 5, np.float32)
    given = winner.copy()
    given[0, 0], given[0, 1] = 5.25, 90
    cues = measure_cues(winner / 10, winner, valid, given)
    assert cues.moved[0, :3].tolist() == [0.25, 2.0, 0.0]
    assert cues.agreement[30, 10] == 1
    assert cues.agreement[30, 39] == pytest.approx(16 / 31)
    assert cues.agreement[30, 70] == 0
    row = measure_cues(one(0.5), one(1), np.ones((1, 1), bool), one(1))
    assert row.agreement.tolist() == [[1.0]]


def test_every_preset_has_one():
    for name, chosen in presets().items():
        assert chosen.calibration == calibration(name)
    assert calibration("a cost of one's own") == calibrations()["descriptors"]
