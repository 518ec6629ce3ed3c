"""How well distances tell pairs that correspond from pairs that do not."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from corr.errors import ShapeError


def fpr95(
    positive_distance: Float[np.ndarray, " P"], negative_distance: Float[np.ndarray, " N"]
) -> float:
    """Share of the negative pairs accepted at the threshold that accepts 95 % of the positive ones.

    The threshold is the smallest positive distance that at least 95 % of the positives do not
    exceed (no interpolation); a pair at the threshold is accepted, so ties count against the
    descriptor, as does a NaN. 0 when all negatives are farther, about 0.95 for a random
    descriptor, 1 for a constant one.

    Args:
        positive_distance: distances of the pairs that correspond.
        negative_distance: distances of the pairs that do not.

    Raises:
        ShapeError: no positive or no negative pair.

    Source: Brown, Hua and Winder 2011, "Discriminative Learning of Local Image Descriptors",
    section 3 (error rate at 95 % recall).
    """
    _check_both("FPR95", positive_distance, negative_distance)
    positive = np.where(np.isnan(positive_distance), np.inf, positive_distance)
    num_accepted = -(-95 * len(positive) // 100)
    threshold = np.partition(positive, num_accepted - 1)[num_accepted - 1]
    return float(np.mean(~(negative_distance > threshold)))


def roc_curve(
    positive_distance: Float[np.ndarray, " P"], negative_distance: Float[np.ndarray, " N"]
) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """Shares of the negative and of the positive pairs accepted, as the threshold rises.

    From (0, 0), where none is, over a point for each different distance, to (1, 1). A pair at the
    threshold is accepted; a NaN is the farthest positive, and the nearest negative.

    Raises:
        ShapeError: no positive or no negative pair.

    Source: Fawcett 2006, "An introduction to ROC analysis", section 5.
    """
    _check_both("a ROC curve", positive_distance, negative_distance)
    positive = np.sort(np.where(np.isnan(positive_distance), np.inf, positive_distance))
    negative = np.sort(np.where(np.isnan(negative_distance), -np.inf, negative_distance))
    thresholds = np.unique(np.concatenate((positive, negative)))
    false, true = (
        np.concatenate(([0.0], np.searchsorted(side, thresholds, side="right") / len(side)))
        for side in (negative, positive)
    )
    return false, true


def equal_error_rate(
    positive_distance: Float[np.ndarray, " P"], negative_distance: Float[np.ndarray, " N"]
) -> float:
    """The error where as large a share of negatives is accepted as of positives is rejected.

    Between two thresholds the curve is a straight line. 0 when all negatives are farther than all
    positives, 0.5 for a random or a constant descriptor, 1 when it is upside down.

    Raises:
        ShapeError: no positive or no negative pair.

    Source: Jain 2004, "An Introduction to Biometric Recognition", section III.
    """
    false, true = roc_curve(positive_distance, negative_distance)
    gap = false - (1 - true)  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(false[after - 1] + share * (false[after] - false[after - 1]))


def best_threshold(distance: Float[np.ndarray, " N"], same: Bool[np.ndarray, " N"]) -> float:
    """The threshold that tells most pairs right: `distance <= threshold` says they are the same.

    It lies in the middle between two distances; the lowest of equally good ones counts. Below all
    of them when none should be accepted, above all when all should.

    Raises:
        ShapeError: no pair.
    """
    if len(distance) == 0:
        raise ShapeError("a threshold is chosen on pairs, and none was given")
    order = np.argsort(distance, kind="stable")
    ordered, right = distance[order], np.where(same[order], 1, -1)
    gained = np.concatenate(([0], np.cumsum(right)))
    ends = np.flatnonzero(ordered[1:] > ordered[:-1]) + 1  # a threshold cannot part equal distances
    places = np.concatenate(([0], ends, [len(ordered)]))
    place = int(places[np.argmax(gained[places])])
    if place == 0:
        return float(np.nextafter(ordered[0], -np.inf))
    if place == len(ordered):
        return float(ordered[-1])
    low, high = float(ordered[place - 1]), float(ordered[place])
    return (low + high) / 2 if np.isfinite(low) and np.isfinite(high) else low


def verification_accuracy(
    distance: Float[np.ndarray, " N"], same: Bool[np.ndarray, " N"], folds: Int[np.ndarray, " _"]
) -> float:
    """The mean over the folds of the share of pairs told right, by a threshold of the other folds.

    Args:
        distance: of each pair; a NaN is told wrong.
        same: True where a pair shows the same.
        folds: part of the cross-validation that each pair is in.

    Raises:
        ShapeError: labels of another number, or fewer than two folds.

    Source: Huang 2007, "Labeled Faces in the Wild", section 4 (view 2: ten folds, each tested with
    what the nine others chose).
    """
    if not len(distance) == len(same) == len(folds):
        raise ShapeError(
            f"{len(distance)} distances, {len(same)} labels and {len(folds)} folds were given; "
            "use one of each a pair"
        )
    known = np.unique(folds)
    if len(known) < 2:
        raise ShapeError(
            f"the pairs are in {len(known)} fold; two or more are needed, so that a threshold is "
            "not chosen on the pairs that it is tested on"
        )
    distance = np.where(np.isnan(distance), np.where(same, np.inf, -np.inf), distance)
    shares = []
    for fold in known:
        tested = folds == fold
        threshold = best_threshold(distance[~tested], same[~tested])
        shares.append(np.mean((distance[tested] <= threshold) == same[tested]))
    return float(np.mean(shares))


def _check_both(figure: str, positive: np.ndarray, negative: np.ndarray) -> None:
    if len(positive) == 0 or len(negative) == 0:
        raise ShapeError(
            f"{figure} compares positive and negative pairs; {len(positive)} positive and "
            f"{len(negative)} negative ones were given, at least one of each is needed"
        )
