"""Whether leaving out what is unsure leaves out what is wrong."""

import numpy as np
import pytest

from corr.errors import ShapeError
from corr.evaluation.confidence_curves import KEPT_PERCENT, confidence_scores
from corr.metrics import area_under_sparsification, root_mean_square_error, sparsification

KEPT = np.array([0.25, 0.5, 0.75, 1.0])


def test_curve_by_hand():
    error = np.array([4.0, 0.0, 2.0, 1.0])
    confidence = np.array([0.1, 0.9, 0.5, 0.7])
    assert sparsification(error, confidence, KEPT).tolist() == [0, 0.5, 1, 1.75]


def test_equal_confidence_is_the_mean_of_random_orders():
    rng = np.random.default_rng(0)
    error, confidence = rng.random(40), rng.integers(0, 3, 40).astype(float)
    orders = []
    for _ in range(4000):
        order = np.lexsort((rng.random(40), -confidence))
        orders.append([error[order[: round(40 * k)]].mean() for k in KEPT])
    np.testing.assert_allclose(
        sparsification(error, confidence, KEPT), np.mean(orders, axis=0), atol=0.01
    )


def test_area_of_an_oracle_is_nothing_and_of_its_opposite_most():
    error = np.random.default_rng(1).random(100)
    oracle = area_under_sparsification(error, -error, KEPT)
    blind = area_under_sparsification(error, np.ones(100), KEPT)
    worst = area_under_sparsification(error, error, KEPT)
    assert oracle == 0
    assert 0.05 < blind < worst


def test_scores_of_an_item():
    bad = np.array([True] + [False] * 9)
    scores = confidence_scores(bad, np.arange(10.0))
    assert [scores[f"kept_{p}"] for p in KEPT_PERCENT] == pytest.approx([0] * 9 + [0.1])
    assert scores["ause"] == pytest.approx(0)
    none = confidence_scores(bad[:0], np.zeros(0))
    assert set(none) == set(scores)
    assert all(np.isnan(value) for value in none.values())
    with pytest.raises(ShapeError, match="there are no pixels"):
        sparsification(np.zeros(0), np.zeros(0), KEPT)


def test_root_mean_square_error():
    truth = np.array([[1.0, 2, 3, np.nan]], np.float32)
    estimate = np.array([[4.0, 2, np.nan, 7]], np.float32)
    assert root_mean_square_error(estimate, truth) == pytest.approx(np.sqrt(9 / 2))
    assert np.isnan(root_mean_square_error(np.full((1, 4), np.nan, np.float32), truth))
