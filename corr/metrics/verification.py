"""How well distances tell pairs that correspond from pairs that do not."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

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
    if len(positive_distance) == 0 or len(negative_distance) == 0:
        raise ShapeError(
            f"FPR95 compares positive and negative pairs; {len(positive_distance)} positive and "
            f"{len(negative_distance)} negative ones were given, at least one of each is needed"
        )
    positive = np.where(np.isnan(positive_distance), np.inf, positive_distance)
    num_accepted = -(-95 * len(positive) // 100)
    threshold = np.partition(positive, num_accepted - 1)[num_accepted - 1]
    return float(np.mean(~(negative_distance > threshold)))
