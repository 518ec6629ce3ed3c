"""Where an image is described: keypoints detected in it, or given by the caller."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.classical.keypoints import Keypoints
from corr.classical.sift import detect_sift
from corr.errors import OptionError, ShapeError
from corr.results import Features

GIVEN_SCALE = 3.2
"""Sigma of keypoints given without one, px: two octaves above SIFT's finest; patches of 64 px."""


def grey_image(image: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W"]:
    """The luma of an RGB image, in which keypoints are detected."""
    grey: UInt8[np.ndarray, "H W"] = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return grey


def detect_keypoints(
    image: UInt8[np.ndarray, "H W 3"], max_keypoints: int, *, oriented: bool = True
) -> Keypoints:
    """The strongest SIFT keypoints of an image, never more than asked for.

    Args:
        image: RGB.
        max_keypoints: at most so many.
        oriented: a place with several orientations is several keypoints; one when off.
    """
    return detect_sift(grey_image(image), max_keypoints, oriented=oriented)


def given_keypoints(keypoints: Any, image_size: tuple[int, int]) -> Keypoints:
    """The caller's keypoints in their order.

    Args:
        keypoints: `Features` or `Keypoints`, with their own scale and angle; or points (N, 2),
            which are given sigma `GIVEN_SCALE`, angle 0 and score 1.
        image_size: (height, width) of the image.

    Raises:
        ShapeError: it is something else.
        OptionError: a keypoint lies outside the image, or its scale is not above 0.
    """
    if isinstance(keypoints, Features):
        placed = Keypoints(
            keypoints.keypoints, keypoints.scale, keypoints.angle_deg, keypoints.scores
        )
    elif isinstance(keypoints, Keypoints):
        placed = keypoints
    else:
        placed = _upright(keypoints)
    height, width = image_size
    x, y = placed.points.T
    # A NaN fails every comparison, so it is refused too.
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    if not inside.all():
        first = int(np.argmin(inside))
        raise OptionError(
            f"keypoint {first} at ({x[first]:g}, {y[first]:g}) lies outside the image of "
            f"{width} x {height} pixels"
        )
    usable = (placed.scale > 0) & np.isfinite(placed.scale) & np.isfinite(placed.angle_deg)
    if not usable.all():
        first = int(np.argmin(usable))
        raise OptionError(
            f"keypoint {first} has scale {placed.scale[first]:g} and angle "
            f"{placed.angle_deg[first]:g}; use a scale above 0 and a finite angle"
        )
    return placed


def _upright(points: Any) -> Keypoints:
    table = np.asarray(points)
    if table.size == 0:
        table = table.reshape(0, 2)
    if table.ndim != 2 or table.shape[1] != 2 or table.dtype.kind not in "fiu":
        raise ShapeError(
            f"keypoints are a {table.shape} table of {table.dtype}; use (N, 2) numbers: x, y"
        )
    table = table.astype(np.float32)
    ones = np.ones(len(table), np.float32)
    return Keypoints(table, GIVEN_SCALE * ones, 0 * ones, ones)
