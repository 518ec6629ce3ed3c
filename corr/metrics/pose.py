"""How good a relative pose is, and how well matches agree with a true one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def rotation_error_deg(
    estimate: Float[np.ndarray, "3 3"], truth: Float[np.ndarray, "3 3"]
) -> float:
    """Angle of the rotation that takes one to the other, in [0, 180].

    From both its sine and its cosine, so that it is exact for small angles too.
    """
    apart = estimate.astype(np.float64) @ truth.astype(np.float64).T
    skew = np.array(
        [apart[2, 1] - apart[1, 2], apart[0, 2] - apart[2, 0], apart[1, 0] - apart[0, 1]]
    )
    return float(np.rad2deg(np.arctan2(np.linalg.norm(skew), np.trace(apart) - 1)))


def translation_error_deg(
    estimate: Float[np.ndarray, " 3"], truth: Float[np.ndarray, " 3"]
) -> float:
    """Angle between the directions of two translations, in [0, 180]; their lengths do not matter.

    Opposite directions are 180 degrees apart: a camera that went the other way is wrong, though an
    essential matrix alone does not tell.
    """
    first, second = estimate.astype(np.float64), truth.astype(np.float64)
    across, along = np.linalg.norm(np.cross(first, second)), float(first @ second)
    return float(np.rad2deg(np.arctan2(across, along)))


def epipolar_distance(
    points0: Float[np.ndarray, "K 2"],
    points1: Float[np.ndarray, "K 2"],
    fundamental_0to1: Float[np.ndarray, "3 3"],
) -> Float[np.ndarray, " K"]:
    """Distance in image 1, px, from each point to the epipolar line of its partner in image 0.

    Infinite where the partner is the epipole, which has no line.
    """
    ones = np.ones((len(points0), 1))
    places = np.hstack((points0.astype(np.float64), ones))
    lines = places @ fundamental_0to1.T
    product = (np.hstack((points1.astype(np.float64), ones)) * lines).sum(1)
    length = np.hypot(lines[:, 0], lines[:, 1])
    rounding = 1e-12 * np.abs(fundamental_0to1).max() * np.abs(places).max(1)
    known = length > rounding
    distance: Float[np.ndarray, " K"] = np.where(
        known, np.abs(product) / np.where(known, length, 1), np.inf
    )
    return distance
