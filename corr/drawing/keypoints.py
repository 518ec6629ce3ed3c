"""Keypoints on their image."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float

from corr.drawing.strip import Picture

_COLOUR = (120, 255, 60)
_SHADOW = (0, 0, 0)
_SMALLEST_PX = 2.0
FIXED_BITS = 4
"""OpenCV's fixed point: coordinates are in 1/16 px."""


def draw_keypoints(
    image: Picture,
    keypoints: Float[np.ndarray, "N 2"],
    scale: Float[np.ndarray, " N"],
    angle_deg: Float[np.ndarray, " N"],
) -> Picture:
    """The image with a circle of radius sigma (2 px at least) and a spoke along each angle."""
    picture = image.copy()
    spokes = np.stack((np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))), -1)
    radius = np.maximum(scale, _SMALLEST_PX)
    usable = np.isfinite(keypoints).all(1) & np.isfinite(spokes).all(1) & np.isfinite(radius)
    ends = keypoints + radius[:, None] * spokes
    for colour, thickness in ((_SHADOW, 2), (_COLOUR, 1)):
        for i in np.flatnonzero(usable):
            centre = to_fixed(keypoints[i])
            reach = round(float(radius[i]) * 2**FIXED_BITS)
            cv2.circle(picture, centre, reach, colour, thickness, cv2.LINE_AA, FIXED_BITS)
            cv2.line(picture, centre, to_fixed(ends[i]), colour, thickness, cv2.LINE_AA, FIXED_BITS)
    return picture


def to_fixed(point: Float[np.ndarray, " 2"]) -> tuple[int, int]:
    """A point in OpenCV's fixed-point coordinates."""
    x, y = np.rint(point * 2**FIXED_BITS).clip(-(2**30), 2**30).astype(int)
    return int(x), int(y)
