"""How many of given keypoints are found again where they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def percentage_of_correct_keypoints(
    found: Float[np.ndarray, "N 2"],
    truth: Float[np.ndarray, "N 2"],
    thresholds: Sequence[float],
) -> Float[np.ndarray, " T"]:
    """PCK: the share, in [0, 1], of the points found at most each threshold (px) from the truth.

    A point that was not found (NaN) is wrong at every threshold; of no points there is no share,
    and the answer is NaN.

    Source: Choy et al. 2016, "Universal Correspondence Network", section 4.1 (PCK@T in pixels);
    Yang and Ramanan 2013, "Articulated Human Detection with Flexible Mixtures of Parts" (PCK).
    """
    if len(found) == 0:
        return np.full(len(thresholds), np.nan)
    error = np.hypot(*(found - truth).astype(np.float64).T)
    return np.array([np.mean(error <= threshold) for threshold in thresholds])
