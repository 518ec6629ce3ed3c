"""Keypoints that a detector finds in both images of a pair: what a keypoint head learns from."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32

from corr.classical.sift import detect_sift
from corr.data.correspondence.dense_pair import DensePair, follow

MAX_DISTANCE = 1.5
"""px from where a keypoint went to the one that is taken for it."""
MAX_DETECTED = 2000


class RepeatedKeypoints(NamedTuple):
    """(x, y) px."""

    points0: Float32[np.ndarray, "K 2"]
    """Keypoints of image 0 whose points have one in image 1 too."""
    points1: Float32[np.ndarray, "K 2"]
    """Those, row by row."""


def repeated_keypoints(pair: DensePair) -> RepeatedKeypoints:
    """SIFT's keypoints of image 0 that SIFT finds again in image 1, wherever the flow is known.

    Scale and orientation do not count: a place is found again or it is not. Each keypoint has one
    partner at most, and each is the nearest of the other.
    """
    found = [_places(image) for image in (pair.image0, pair.image1)]
    moved = follow(pair.flow_0to1, found[0])
    known = np.isfinite(moved).all(1)
    first, moved = found[0][known], moved[known]
    if len(first) == 0 or len(found[1]) == 0:
        return RepeatedKeypoints(*np.zeros((2, 0, 2), np.float32))
    distance = np.linalg.norm(moved[:, None] - found[1][None], axis=2)
    nearest = distance.argmin(1)
    rows = np.flatnonzero(distance.argmin(0)[nearest] == np.arange(len(first)))
    rows = rows[distance[rows, nearest[rows]] <= MAX_DISTANCE]
    return RepeatedKeypoints(first[rows], found[1][nearest[rows]])


def _places(image: np.ndarray) -> Float32[np.ndarray, "N 2"]:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    points: Float32[np.ndarray, "N 2"] = detect_sift(grey, MAX_DETECTED, oriented=False).points
    return points.astype(np.float32)
