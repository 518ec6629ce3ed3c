"""How a calibrated camera moved between two images, by OpenCV's MAGSAC."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from corr.errors import OptionError, ShapeError

MIN_MATCHES = 5
_FARTHEST = 1e9
"""Scene points beyond so many baselines are taken for behind the camera; OpenCV's 50 are too few
for neighbouring views."""


@dataclass(frozen=True, eq=False)
class RelativePose:
    """What matches tell of a motion; how far it went they do not."""

    rotation: Float[np.ndarray, "3 3"]
    """Takes directions from the frame of camera 0 to that of camera 1."""
    translation: Float[np.ndarray, " 3"]
    """Of unit length: the centre of camera 0 in the frame of camera 1, but for its distance."""
    agrees: Bool[np.ndarray, " K"]
    """Matches near the epipolar lines whose point is before both cameras."""


def estimate_pose(
    points0: Float[np.ndarray, "K 2"],
    points1: Float[np.ndarray, "J 2"],
    intrinsics0: Float[np.ndarray, "3 3"],
    intrinsics1: Float[np.ndarray, "3 3"],
    *,
    threshold_px: float = 1.0,
    max_iterations: int = 10_000,
    confidence: float = 0.9999,
) -> RelativePose | None:
    """The motion that most matches agree on; none without enough, or where they tell of none.

    Points are made directions by the intrinsics; the essential matrix of most of them is found, and
    of the four motions that have it the one with most points before both cameras. The same matches
    give the same answer: MAGSAC's generator starts from one fixed seed in each call.

    Args:
        points0: px in image 0.
        points1: px in image 1.
        intrinsics0: K of camera 0.
        intrinsics1: K of camera 1.
        threshold_px: largest distance of an agreeing match from the epipolar line, at the mean of
            the four focal lengths.
        max_iterations: of MAGSAC.
        confidence: that the motion is the best; ends the iterations early.

    Raises:
        OptionError: the threshold is not above 0.
        ShapeError: the two tables do not fit.

    Source: Nister 2004, "An efficient solution to the five-point relative pose problem"; Barath
    2020, "MAGSAC++".
    """
    if not threshold_px > 0:
        raise OptionError(f"threshold_px is {threshold_px}; use a value above 0")
    if points0.shape != points1.shape:
        raise ShapeError(
            f"points are {points0.shape} and {points1.shape}; use two tables of (K, 2)"
        )
    if len(points0) < MIN_MATCHES:
        return None
    rays = _directions(points0, intrinsics0), _directions(points1, intrinsics1)
    focal = np.mean([k[i, i] for k in (intrinsics0, intrinsics1) for i in (0, 1)])
    identity = np.eye(3)
    essential, mask = cv2.findEssentialMat(
        *rays,
        identity,
        cv2.USAC_MAGSAC,
        prob=confidence,
        threshold=threshold_px / focal,
        maxIters=max_iterations,
    )
    if essential is None or essential.shape != (3, 3) or not np.isfinite(essential).all():
        return None
    count, rotation, translation, agrees, _ = cv2.recoverPose(
        essential, *rays, identity, distanceThresh=_FARTHEST, mask=mask.copy()
    )
    if count == 0:
        return None
    return RelativePose(rotation, translation.ravel(), agrees.ravel().astype(bool))


def _directions(
    points: Float[np.ndarray, "K 2"], intrinsics: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "K 2"]:
    """Where the rays of points meet the plane at depth 1."""
    rays = np.hstack((points.astype(np.float64), np.ones((len(points), 1))))
    at_one = rays @ np.linalg.inv(intrinsics).T
    return np.ascontiguousarray(at_one[:, :2] / at_one[:, 2:])
