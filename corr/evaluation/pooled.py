"""FPR95 of the patches of many pairs of images together, from counts that each pair keeps.

One threshold for all of them, as Brown and HPatches count it: a pair in which nobody's descriptor
tells the patches apart then weighs as much as it has patches, and not as much as any other pair.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.evaluation.benchmark import Scores, ScoreTable

NUM_BINS = 128
"""Of distances from 0 to 2; a finer count changes the rate by less than a twentieth of it."""
MAX_DISTANCE = 2.0
_RECALL = 0.95

_POSITIVE, _NEGATIVE = (
    tuple(f"{kind}_{i:03d}" for i in range(NUM_BINS)) for kind in ("positives", "negatives")
)


def count_distances(
    positive: Float[np.ndarray, " P"], negative: Float[np.ndarray, " Q"]
) -> dict[str, float]:
    """How many distances of unit-length descriptors lie in each bin, for `pooled_fpr95`.

    Args:
        positive: of patches that correspond.
        negative: of others; they count as many as the positives together, however many they are.
    """
    scores: dict[str, float] = {}
    for names, distance in ((_POSITIVE, positive), (_NEGATIVE, negative)):
        known = np.where(np.isnan(distance), MAX_DISTANCE, distance)
        counts, _ = np.histogram(known.clip(0, MAX_DISTANCE), NUM_BINS, (0, MAX_DISTANCE))
        shares = counts * (len(positive) / max(1, len(distance)))
        scores |= dict(zip(names, shares.tolist(), strict=True))
    return scores


def no_distances() -> Scores:
    """The counts of a pair that failed: one positive that no threshold accepts first."""
    return count_distances(np.array([MAX_DISTANCE]), np.array([0.0]))


def pooled_fpr95(table: ScoreTable) -> Float[np.ndarray, "*R"]:
    """Share of the negatives below the threshold that 95 % of the positives are below.

    Within a bin, distances are taken to be spread evenly.
    """
    positive, negative = (
        np.stack([table[name].sum(-1) for name in names], axis=-1).cumsum(-1)
        for names in (_POSITIVE, _NEGATIVE)
    )
    positive, negative = positive / positive[..., -1:], negative / negative[..., -1:]
    after = (positive < _RECALL).sum(-1, keepdims=True)
    ends = [np.pad(curve, [(0, 0)] * (curve.ndim - 1) + [(1, 0)]) for curve in (positive, negative)]
    (low, high), (below, above) = (
        (np.take_along_axis(e, after, -1), np.take_along_axis(e, after + 1, -1)) for e in ends
    )
    rate: Float[np.ndarray, "*R"] = (below + (above - below) * (_RECALL - low) / (high - low))[
        ..., 0
    ]
    return rate
