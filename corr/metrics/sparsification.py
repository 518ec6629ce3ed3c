"""Whether a confidence knows where an estimate is wrong."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.errors import ShapeError


def sparsification(
    error: Float[np.ndarray, " N"],
    confidence: Float[np.ndarray, " N"],
    kept: Float[np.ndarray, " K"],
) -> Float[np.ndarray, " K"]:
    """The mean error of the most confident pixels, for each share of them that is kept.

    Pixels of equal confidence are taken in a random order, of which this is the mean.

    Args:
        error: of each pixel, finite: px, or 1 where it is bad and 0 where it is not.
        confidence: of each pixel; rises when surer. `-error` gives the curve of an oracle.
        kept: shares of the pixels, in (0, 1].

    Raises:
        ShapeError: there are no pixels.

    Source: Bruhn and Weickert 2006, "A confidence measure for variational optic flow methods".
    """
    if not len(error):
        raise ShapeError("there are no pixels to leave out")
    _, group = np.unique(-confidence, return_inverse=True)
    counted = np.r_[0, np.cumsum(np.bincount(group))]
    summed = np.r_[0.0, np.cumsum(np.bincount(group, weights=error))]
    at = kept * len(error)
    curve: Float[np.ndarray, " K"] = np.interp(at, counted, summed) / at
    return curve


def area_under_sparsification(
    error: Float[np.ndarray, " N"],
    confidence: Float[np.ndarray, " N"],
    kept: Float[np.ndarray, " K"],
) -> float:
    """Mean height of the curve above that of an oracle: 0 when the worst pixels go first.

    Source: Ilg 2018, "Uncertainty estimates and multi-hypotheses networks for optical flow"
    (AUSE, not normalised).
    """
    above = sparsification(error, confidence, kept) - sparsification(error, -error, kept)
    return float(np.mean(above))
