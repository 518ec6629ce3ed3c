"""How well an order by distance puts pairs that correspond before pairs that do not."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Shaped

from corr.errors import ShapeError


def average_precision(
    positive_distance: Float[np.ndarray, " P"],
    negative_distance: Float[np.ndarray, " N"],
    *,
    num_positives: int | None = None,
) -> float:
    """Area under the curve of precision over recall, by trapezoids, as HPatches measures it.

    At equal distance a negative comes first, so ties count against the descriptor, as does a NaN.

    Args:
        positive_distance: distances of the pairs that correspond.
        negative_distance: distances of the pairs that do not.
        num_positives: of all, also those that were not found; those given when not given.

    Raises:
        ShapeError: no positive pair.

    Source: Balntas 2017, "HPatches: A benchmark and evaluation of handcrafted and learned local
    descriptors", and its published code, which gives a ranking that begins with a positive a
    precision of 1 before it.
    """
    total = len(positive_distance) if num_positives is None else num_positives
    if total == 0:
        raise ShapeError("average precision needs one positive pair or more, and none was given")
    positive, negative = _ordered(positive_distance), _ordered(negative_distance)
    before = np.searchsorted(negative, positive, side="right")
    ranks = np.arange(1, len(positive) + 1) + before
    return float(precision_of_ranks(ranks).sum() / total)


def precision_of_ranks(ranks: Shaped[np.ndarray, "*Q P"]) -> Float[np.ndarray, "*Q P"]:
    """What each positive adds to the area, before it is divided by the number of all positives.

    Args:
        ranks: from 1, rising along the last axis, of all the positives of a query.
    """
    found = np.arange(1, ranks.shape[-1] + 1)
    earlier = np.where(ranks > 1, (found - 1) / np.maximum(ranks - 1, 1), 1.0)
    mean: Float[np.ndarray, "*Q P"] = (earlier + found / ranks) / 2
    return mean


def roc_area(
    positive_distance: Float[np.ndarray, " P"], negative_distance: Float[np.ndarray, " N"]
) -> float:
    """Area under the ROC curve: the share of all (positive, negative) in which the first is nearer.

    Equal distances count against the descriptor.

    Raises:
        ShapeError: no positive or no negative pair.
    """
    if len(positive_distance) == 0 or len(negative_distance) == 0:
        raise ShapeError(
            f"a ROC curve needs pairs of both kinds; {len(positive_distance)} positive and "
            f"{len(negative_distance)} negative ones were given"
        )
    positive, negative = _ordered(positive_distance), _ordered(negative_distance)
    before = np.searchsorted(negative, positive, side="right")
    return float(1 - before.mean() / len(negative))


def _ordered(distance: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Sorted; a NaN is farther than everything."""
    return np.sort(np.where(np.isnan(distance), np.inf, distance))
