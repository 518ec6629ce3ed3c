"""Whether a confidence is the probability that it claims to be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from corr.errors import ShapeError


class Reliability(NamedTuple):
    """Estimates by their confidence, in bins of equal width over [0, 1]; shares of all of them."""

    share: Float[np.ndarray, " K"]
    """In the bin."""
    right: Float[np.ndarray, " K"]
    """In the bin, and right."""
    confidence: Float[np.ndarray, " K"]
    """Sum of the confidence in the bin: the share that should be right."""

    @property
    def error(self) -> float:
        """The expected calibration error: how far confidence is from the share that is right.

        Source: Guo 2017, "On calibration of modern neural networks", equation 3.
        """
        return float(np.abs(self.right - self.confidence).sum())


def reliability(
    right: Bool[np.ndarray, " N"], confidence: Float[np.ndarray, " N"], num_bins: int = 10
) -> Reliability:
    """How many estimates of each confidence there are, and how many of them are right.

    Args:
        right: of each estimate.
        confidence: of each, in [0, 1].
        num_bins: of equal width.

    Raises:
        ShapeError: there are no estimates.
    """
    if not len(right):
        raise ShapeError("there are no estimates whose confidence could be judged")
    sure = confidence.astype(np.float64)
    group = np.minimum((sure * num_bins).astype(int), num_bins - 1)
    sums = (np.bincount(group, w, num_bins) / len(right) for w in (None, right, sure))
    return Reliability(*sums)
