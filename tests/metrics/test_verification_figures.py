"""Verification figures against hand answers, a naive loop and the extremes."""

import numpy as np
import pytest

from corr import metrics
from corr.errors import ShapeError


def pairs(num: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    same = rng.random(num) < 0.5
    distance = np.round(rng.normal(np.where(same, 0.8, 1.2), 0.3), 2)  # rounded: there are ties
    return distance, same, np.arange(num) % 10


def test_accuracy_by_hand():
    # Fold 0 is parted by 1.0 to 2.0 (middle 1.5), fold 1 by 3.0 to 4.0 (middle 3.5).
    distance = np.array([1.0, 2.0, 3.0, 4.0])
    same = np.array([True, False, True, False])
    folds = np.array([0, 0, 1, 1])
    # By 3.5, fold 0 is half right; by 1.5, fold 1 too.
    assert metrics.verification_accuracy(distance, same, folds) == 0.5
    assert metrics.best_threshold(distance[:2], same[:2]) == 1.5


def test_accuracy_equals_the_loop_over_all_thresholds():
    distance, same, folds = pairs(400)
    shares = []
    for fold in range(10):
        rest, tested = folds != fold, folds == fold
        candidates = [-1.0, *sorted(set(distance[rest]))]
        right = [np.sum((distance[rest] <= t) == same[rest]) for t in candidates]
        best = int(np.argmax(right))
        upper = candidates[best + 1] if best + 1 < len(candidates) else candidates[best]
        middle = (candidates[best] + upper) / 2
        shares.append(np.mean((distance[tested] <= middle) == same[tested]))
    found = metrics.verification_accuracy(distance, same, folds)
    assert found == pytest.approx(np.mean(shares))
    assert 0.6 < found < 0.9


def test_the_threshold_comes_from_the_other_folds():
    """A fold of its own scale cannot choose its own threshold."""
    distance = np.concatenate((np.tile([1.0, 2.0], 5), np.tile([11.0, 12.0], 5)))
    same = np.tile([True, False], 10)
    folds = np.repeat([0, 1], 10)
    assert metrics.verification_accuracy(distance, same, folds) == 0.5
    assert metrics.verification_accuracy(distance, same, np.arange(20) // 2 % 5) < 0.8


def test_eer_by_hand():
    # At 2: one of four negatives is accepted, one of four positives is not.
    positive, negative = np.array([0.0, 1.0, 2.0, 5.0]), np.array([2.0, 6.0, 7.0, 8.0])
    assert metrics.equal_error_rate(positive, negative) == 0.25
    # Between the curve's points (0, 1/2) and (1, 1): 0 + s = 1/2 - s/2 at s = 1/3.
    assert metrics.equal_error_rate(np.array([0.0, 2.0]), np.array([2.0])) == pytest.approx(1 / 3)


def test_eer_equals_the_loop_where_a_threshold_is_fine_enough():
    distance, same, _ = pairs(20_000)
    distance = distance + 1e-4 * np.random.default_rng(1).random(len(distance))
    positive, negative = distance[same], distance[~same]
    best = min(
        (abs(np.mean(negative <= t) - np.mean(positive > t)), np.mean(negative <= t))
        for t in np.sort(distance)[::20]
    )
    assert metrics.equal_error_rate(positive, negative) == pytest.approx(best[1], abs=2e-3)


def test_extremes():
    near, far = np.linspace(0, 1, 40), np.linspace(2, 3, 40)
    same = np.repeat([True, False], 40)
    folds = np.tile(np.arange(10), 8)
    perfect, inverted = np.concatenate((near, far)), np.concatenate((far, near))
    assert metrics.verification_accuracy(perfect, same, folds) == 1.0
    assert metrics.equal_error_rate(near, far) == 0.0
    # The best that a threshold makes of an inverted descriptor is to say the same of all.
    found = metrics.verification_accuracy(inverted, same, folds)
    assert found == pytest.approx(0.5, abs=0.02)
    assert metrics.equal_error_rate(far, near) == 1.0
    constant = np.ones(80)
    assert metrics.verification_accuracy(constant, same, folds) == 0.5
    assert metrics.equal_error_rate(constant[:40], constant[:40]) == 0.5


def test_roc_curve():
    false, true = metrics.roc_curve(np.array([1.0, 3.0]), np.array([2.0, 3.0]))
    assert false.tolist() == [0, 0, 0.5, 1]
    assert true.tolist() == [0, 0.5, 0.5, 1]


def test_nan_counts_as_wrong():
    nan = float("nan")
    same = np.array([True, False, True, False])
    folds = np.array([0, 0, 1, 1])
    assert metrics.verification_accuracy(np.array([1, 2, 1, 2.0]), same, folds) == 1.0
    assert metrics.verification_accuracy(np.array([nan, 2, 1, 2.0]), same, folds) == 0.75
    # Nor is there a threshold that accepts the first of a fold and not its NaN.
    assert metrics.verification_accuracy(np.array([1, nan, 1, 2.0]), same, folds) == 0.5
    assert metrics.equal_error_rate(np.array([nan]), np.array([1.0])) == 1.0


def test_refusals():
    same = np.array([True, False])
    with pytest.raises(ShapeError, match="2 distances, 2 labels and 1 folds"):
        metrics.verification_accuracy(np.ones(2), same, np.zeros(1, int))
    with pytest.raises(ShapeError, match="in 1 fold; two or more are needed"):
        metrics.verification_accuracy(np.ones(2), same, np.zeros(2, int))
    with pytest.raises(ShapeError, match=r"a ROC curve compares.*0 positive and 2 negative"):
        metrics.equal_error_rate(np.zeros(0), np.ones(2))
    with pytest.raises(ShapeError, match="none was given"):
        metrics.best_threshold(np.zeros(0), np.zeros(0, bool))
