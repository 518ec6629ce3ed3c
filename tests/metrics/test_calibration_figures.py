"""Whether a confidence of 0.7 is right seven times of ten."""

import numpy as np
import pytest

from corr.errors import ShapeError
from corr.metrics import reliability


def test_by_hand():
    right = np.array([True, True, False, False])
    found = reliability(right, np.array([1.0, 0.9, 0.6, 0.55]), num_bins=2)
    assert found.share.tolist() == [0, 1]
    assert found.right.tolist() == [0, 0.5]
    assert found.confidence.tolist() == pytest.approx([0, 3.05 / 4])
    assert found.error == pytest.approx(3.05 / 4 - 0.5)
    apart = reliability(right, np.array([1.0, 0.9, 0.2, 0.0]), num_bins=2)
    assert apart.error == pytest.approx((0.1 + 0.2) / 4)


def test_what_is_drawn_by_its_confidence_has_no_error():
    rng = np.random.default_rng(0)
    sure = rng.random(200_000)
    assert reliability(rng.random(200_000) < sure, sure).error < 0.005
    assert reliability(rng.random(200_000) < sure**2, sure).error > 0.1
    assert reliability(np.ones(7, bool), np.ones(7)).error == 0


def test_of_nothing_there_is_no_figure():
    with pytest.raises(ShapeError, match="there are no estimates"):
        reliability(np.zeros(0, bool), np.zeros(0))
