"""From matched pixels to a full map: no speckles, holes filled from behind, smoothed."""

from __future__ import annotations

from typing import no_type_check

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from corr.compiled import compiled


def without_speckles(
    disparity: Float32[np.ndarray, "H W"],
    valid: Bool[np.ndarray, "H W"],
    *,
    min_pixels: int = 100,
    max_step: float = 1.0,
) -> Bool[np.ndarray, "H W"]:
    """The valid pixels less those of small islands.

    Args:
        disparity: px.
        valid: which pixels have one.
        min_pixels: an island of fewer pixels is removed.
        max_step: neighbours that differ by more, px, belong to different islands.
    """
    highest = float(disparity.max(initial=0, where=valid))
    scale = min(16.0, 32000 / (highest + 1))
    scaled = np.where(valid, np.rint(disparity * scale), -1).astype(np.int16)
    cv2.filterSpeckles(scaled, -1, min_pixels - 1, int(max_step * scale))
    kept: Bool[np.ndarray, "H W"] = valid & (scaled >= 0)
    return kept


def fill_background(
    disparity: Float32[np.ndarray, "H W"], valid: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """The map with each invalid pixel set to the smaller of its row's nearest valid values.

    What is hidden in one view belongs to the surface behind, which has the smaller disparity. A
    row without any valid pixel takes the values of the nearest row that has one; 0 when none has.

    Source: Hirschmueller 2008, "Stereo Processing by Semiglobal Matching and Mutual Information",
    section 2.5.2, along rows.
    """
    filled = np.where(valid, disparity, np.float32(0))
    rows = np.flatnonzero(valid.any(axis=1))
    if len(rows) == 0:
        return filled
    _fill_rows(filled, valid)
    places = np.arange(len(filled))
    after = np.searchsorted(rows, places).clip(max=len(rows) - 1)
    before = np.maximum(after - 1, 0)
    closer = np.abs(rows[before] - places) <= np.abs(rows[after] - places)
    return filled[np.where(valid.any(axis=1), places, rows[np.where(closer, before, after)])]


def median(disparity: Float32[np.ndarray, "H W"], side: int = 5) -> Float32[np.ndarray, "H W"]:
    """The median of the pixels around each pixel, 3 x 3 or 5 x 5; the border repeats."""
    smooth: Float32[np.ndarray, "H W"] = cv2.medianBlur(disparity, side)
    return smooth


def smooth_steps(disparity: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """The map averaged with neighbours that differ by about a pixel at most; jumps stay.

    It takes away the steps that come from whole disparities, towards which the sub-pixel part is
    drawn. Neighbours weigh by Gaussians of their distance, 3 px, and of their difference, 1 px.

    Source: the last step of Zbontar and LeCun 2016, "Stereo matching by training a convolutional
    neural network to compare image patches", section 4.4, with smooth weights.
    """
    smooth: Float32[np.ndarray, "H W"] = cv2.bilateralFilter(disparity, 9, 1.0, 3.0)
    return smooth


@compiled
@no_type_check
def _fill_rows(disparity, valid):
    """Fill in place: the holes between two valid pixels, and those at either end of a row."""
    height, width = disparity.shape
    for y in range(height):
        last = -1
        for x in range(width + 1):
            if x < width and not valid[y, x]:
                continue
            if last < 0 and x == width:
                break
            if last < 0:
                value = disparity[y, x]
            elif x == width:
                value = disparity[y, last]
            else:
                value = min(disparity[y, last], disparity[y, x])
            for hole in range(last + 1, x):
                disparity[y, hole] = value
            last = x
