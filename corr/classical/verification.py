"""Which matches agree on one homography or one fundamental matrix, by OpenCV's MAGSAC."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float

from corr.errors import OptionError, ShapeError

MODELS = {"homography": 4, "fundamental": 8}
"""What can be estimated, and from how many matches at least."""


def verify_matches(
    points0: Float[np.ndarray, "K _"],
    points1: Float[np.ndarray, "J _"],
    model: str,
    *,
    threshold_px: float = 3.0,
    max_iterations: int = 10_000,
    confidence: float = 0.9999,
) -> tuple[Float[np.ndarray, "3 3"] | None, Bool[np.ndarray, " K"]]:
    """The matrix (0 to 1) that most matches agree on, and which of them do.

    The same matches give the same answer: MAGSAC's generator starts from one fixed seed in each
    call. Without enough matches, or where they determine no matrix, the answer is none, and no
    match agrees.

    Args:
        points0: (K, 2) px in image 0.
        points1: (K, 2) px in image 1.
        model: `homography`, for a plane or a turning camera; `fundamental`, for any rigid scene.
        threshold_px: largest distance of an agreeing match: from the mapped point, or from the
            epipolar line.
        max_iterations: of MAGSAC.
        confidence: that the matrix is the best; ends the iterations early.

    Raises:
        OptionError: the model is not known, or the threshold is not above 0.
        ShapeError: the two tables do not fit.

    Source: Barath 2020, "MAGSAC++, a fast, reliable and accurate robust estimator".
    """
    if model not in MODELS:
        raise OptionError(f"model '{model}' is not known; use one of {', '.join(MODELS)}")
    if not threshold_px > 0:
        raise OptionError(f"threshold_px is {threshold_px}; use a value above 0")
    if points0.shape != points1.shape or points0.shape[1:] != (2,):
        raise ShapeError(
            f"points are {points0.shape} and {points1.shape}; use two tables of (K, 2)"
        )
    nothing = None, np.zeros(len(points0), bool)
    if len(points0) < MODELS[model]:
        return nothing
    pair = np.ascontiguousarray(points0, np.float64), np.ascontiguousarray(points1, np.float64)
    if model == "homography":
        matrix, agrees = cv2.findHomography(
            *pair, cv2.USAC_MAGSAC, threshold_px, None, max_iterations, confidence
        )
    else:
        matrix, agrees = cv2.findFundamentalMat(
            *pair, cv2.USAC_MAGSAC, threshold_px, confidence, max_iterations
        )
    if matrix is None or matrix.shape != (3, 3):
        return nothing
    return matrix, agrees.ravel().astype(bool)


def fit_homography(
    points0: Float[np.ndarray, "K 2"], points1: Float[np.ndarray, "K 2"]
) -> Float[np.ndarray, "3 3"] | None:
    """The homography (0 to 1) that fits all matches best, wrong ones included.

    The direct linear transform, then least squares of the distances in image 1. It shows how many
    and how wrong the wrong matches are, which a robust estimator hides. None without four matches
    that determine one.

    Source: Hartley and Zisserman 2004, "Multiple View Geometry in Computer Vision", section 4.
    """
    if len(points0) < MODELS["homography"]:
        return None
    pair = np.ascontiguousarray(points0, np.float64), np.ascontiguousarray(points1, np.float64)
    matrix: Float[np.ndarray, "3 3"] | None = cv2.findHomography(*pair, 0)[0]
    return matrix
