"""Matched points of two images beside each other, against the rows of the first."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Int64

from corr.drawing.keypoints import FIXED_BITS, to_fixed
from corr.drawing.matches import RIGHT, WRONG
from corr.drawing.strip import Colour, Picture, Strip

_GAP_PX = 6
_SHOWN = 30
_ROW: Colour = (255, 255, 255)
_SHADE = 0.55
"""Brightness of the images, so that the lines stand out."""


def draw_rows(
    left: Picture,
    right: Picture,
    points_left: Float[np.ndarray, "N 2"],
    points_right: Float[np.ndarray, "N 2"],
    tolerance_px: float,
) -> Picture:
    """Both images, the rows of some points in white, and each point from one image to the other.

    A line is green where the right point lies on the row of the left one, and red where it does
    not; in a rectified pair the lines cover the rows.

    Args:
        left: on the left.
        right: on the right, of the same size.
        points_left: px.
        points_right: px, in the same order.
        tolerance_px: how far from its row a point may be.
    """
    height, width = left.shape[:2]
    shift = width + _GAP_PX
    picture = np.full((height, shift + width, 3), 255, np.uint8)
    picture[:, :width], picture[:, shift:] = _SHADE * left, _SHADE * right
    chosen = _spread(points_left)
    away = np.abs(points_right[:, 1] - points_left[:, 1])
    thickness = 1 + max(height, 2 * width) // 1600
    for index in chosen:
        start, end = points_left[index], points_right[index] + (shift, 0)
        colour = RIGHT if away[index] <= tolerance_px else WRONG
        row = to_fixed(np.array([shift + width - 1, start[1]]))
        cv2.line(picture, to_fixed(start), row, _ROW, 1, cv2.LINE_AA, FIXED_BITS)
        cv2.line(
            picture, to_fixed(start), to_fixed(end), colour, thickness, cv2.LINE_AA, FIXED_BITS
        )
        for point in (start, end):
            dot = (2 + thickness) << FIXED_BITS
            cv2.circle(picture, to_fixed(point), dot, colour, -1, cv2.LINE_AA, FIXED_BITS)
    strip = Strip(picture)
    on = int((away <= tolerance_px).sum())
    strip.add_text(f"{len(away)} points, {len(chosen)} shown")
    strip.add_swatch(RIGHT, f"{on} within {tolerance_px:g} px of their row")
    strip.add_swatch(WRONG, f"{len(away) - on} not")
    if len(away):
        strip.add_text(f"median {np.median(away):.2f} px")
    return strip.below()


def _spread(points: Float[np.ndarray, "N 2"]) -> Int64[np.ndarray, " M"]:
    """Points spread over the rows: of each band of rows the one in its middle."""
    order = np.argsort(points[:, 1], kind="stable")
    if len(order) <= _SHOWN:
        return order
    return order[np.linspace(0, len(order) - 1, _SHOWN).round().astype(np.int64)]
