"""The strip at the left of the left view that the right view does not show."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float32
from scipy.ndimage import median_filter

from corr.compiled import compiled, in_pieces

REACH = 32
"""Pixels of a row behind its first match that tell its slope."""

JUMP = 2.0
"""Where neighbouring matches differ by more, something else begins, px."""

ROUGH = 0.5
"""Root mean square distance from a line beyond which a surface is too rough to be continued, px."""

STEEPEST = 0.5
"""Largest slope that is believed, px of disparity a pixel."""

ROWS = 15
"""Neighbouring rows of which the median slope is taken."""


def continue_border(
    disparity: Float32[np.ndarray, "H W"], valid: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """The filled map with the surface at each row's first match continued to the left.

    What the right view does not show at the image's border is not hidden behind anything: most
    often it is more of the same surface, which is seldom parallel to the image. A line fitted to
    the first matches of a row continues it, where it lies outside the right view.

    Args:
        disparity: px, filled.
        valid: which pixels were matched.
    """
    height, width = disparity.shape
    first = np.where(valid.any(axis=1), valid.argmax(axis=1), 0)
    level, slope = np.zeros((2, height), np.float32)
    in_pieces(lambda top, bottom: _fit(disparity, valid, first, top, bottom, level, slope), height)
    slope = median_filter(slope, ROWS).clip(-STEEPEST, STEEPEST)
    column = np.arange(width)
    before = np.float32(column - first[:, None])  # px from the first match, < 0 to its left
    line = level[:, None] + slope[:, None] * before
    outside = (before < 0) & (line > column)
    continued: Float32[np.ndarray, "H W"] = np.where(outside, line, disparity)
    return continued


@compiled
@no_type_check
def _fit(disparity, valid, first, top, bottom, level, slope):  # noqa: PLR0917
    """The least-squares line through the matches behind each row's first one.

    Its level is the value at the first match. A row with too few matches of one surface, or with a
    rough one, is level.
    """
    width = disparity.shape[1]
    for y in range(top, bottom):
        start = first[y]
        level[y] = disparity[y, start]
        last = start
        count, sum_x, sum_d, sum_xx, sum_xd, sum_dd = 0, 0.0, 0.0, 0.0, 0.0, 0.0
        for x in range(start, min(width, start + REACH)):
            if not valid[y, x]:
                continue
            if abs(disparity[y, x] - disparity[y, last]) > JUMP:
                break
            offset, value = np.float64(x - start), np.float64(disparity[y, x] - level[y])
            count += 1
            sum_x += offset
            sum_d += value
            sum_xx += offset * offset
            sum_xd += offset * value
            sum_dd += value * value
            last = x
        if count >= REACH // 2 and last - start >= REACH // 2:
            spread = sum_xx - sum_x * sum_x / count
            joint = sum_xd - sum_x * sum_d / count
            left_over = sum_dd - sum_d * sum_d / count - joint * joint / spread
            if left_over <= count * ROUGH**2:
                slope[y] = joint / spread
                level[y] += (sum_d - slope[y] * sum_x) / count
