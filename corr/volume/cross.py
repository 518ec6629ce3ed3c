"""Costs averaged over pixels of like colour: cross-based aggregation."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import UInt8, UInt16

from corr.compiled import compiled, in_pieces
from corr.errors import OptionError, ShapeError


def cross_arms(
    image: UInt8[np.ndarray, "H W 3"], length: int, tolerance: int
) -> UInt8[np.ndarray, "H W 4"]:
    """How far each pixel's surface reaches to the left, right, up and down, px.

    An arm ends before the first pixel that differs from its root by more than the tolerance in
    some channel; it has at least one pixel where the image does.

    Args:
        image: left image.
        length: longest arm, px.
        tolerance: grey levels.

    Raises:
        OptionError: a length outside 1..127, or a negative tolerance.

    Source: Zhang 2009, "Cross-based local stereo matching using orthogonal integral images",
    section II.
    """
    if not 1 <= length <= 127 or tolerance < 0:
        raise OptionError(
            f"length is {length} and tolerance {tolerance}; use 1 to 127 px and 0 or more levels"
        )
    arms = np.zeros((*image.shape[:2], 4), np.uint8)
    in_pieces(lambda top, bottom: _reach(image, length, tolerance, top, bottom, arms), len(image))
    return arms


def cross_aggregate(
    cost: UInt8[np.ndarray, "H W D"], arms: UInt8[np.ndarray, "H W 4"]
) -> UInt8[np.ndarray, "H W D"]:
    """The mean cost of each disparity over the pixels of each pixel's cross region.

    The region of a pixel joins the horizontal arms of all pixels of its vertical arm. Running sums
    make the time independent of its size.

    Args:
        cost: lower is better.
        arms: of the left image, see `cross_arms`.

    Returns:
        The means, rounded.

    Raises:
        ShapeError: costs and arms differ in size.
        OptionError: costs that are not uint8.

    Source: Zhang 2009, section III; arms of the left image alone.
    """
    if cost.shape[:2] != arms.shape[:2]:
        raise ShapeError(f"costs of {cost.shape} do not fit arms of {arms.shape}")
    if cost.dtype != np.uint8:
        raise OptionError(f"costs of {cost.dtype} cannot be averaged over crosses; use uint8")
    height, width, _ = cost.shape
    sums: UInt16[np.ndarray, "H W D"] = np.empty(cost.shape, np.uint16)
    counts = np.empty((height, width), np.uint16)
    averaged = np.empty_like(cost)
    in_pieces(lambda top, bottom: _along_rows(cost, arms, top, bottom, sums, counts), height)
    in_pieces(lambda first, last: _along_columns(sums, counts, arms, first, last, averaged), width)
    return averaged


@compiled
@no_type_check
def _reach(image, length, tolerance, top, bottom, arms):  # noqa: PLR0917
    height, width, channels = image.shape
    for y in range(top, bottom):
        for x in range(width):
            for arm in range(4):
                dx = (arm == 1) - (arm == 0)
                dy = (arm == 3) - (arm == 2)
                reach = 0
                for step in range(1, length + 1):
                    row, column = y + step * dy, x + step * dx
                    if not (0 <= row < height and 0 <= column < width):
                        break
                    difference = 0
                    for c in range(channels):
                        change = abs(np.int64(image[row, column, c]) - np.int64(image[y, x, c]))
                        difference = max(difference, change)
                    if step > 1 and difference > tolerance:
                        break
                    reach = step
                arms[y, x, arm] = reach


@compiled
@no_type_check
def _along_rows(cost, arms, top, bottom, sums, counts):  # noqa: PLR0917
    """Sums over the horizontal arms of the rows from `top` to `bottom`."""
    _, width, depth = cost.shape
    running = np.zeros((width + 1, depth), np.uint32)
    for y in range(top, bottom):
        for x in range(width):
            for d in range(depth):
                running[x + 1, d] = running[x, d] + np.uint32(cost[y, x, d])
        for x in range(width):
            start, stop = x - arms[y, x, 0], x + arms[y, x, 1] + 1
            counts[y, x] = stop - start
            for d in range(depth):
                sums[y, x, d] = np.uint16(running[stop, d] - running[start, d])


@compiled
@no_type_check
def _along_columns(sums, counts, arms, first, last, averaged):  # noqa: PLR0917
    """Means over the vertical arms of the columns from `first` to `last`."""
    height, _, depth = sums.shape
    running = np.zeros((height + 1, depth), np.uint32)
    pixels = np.zeros(height + 1, np.uint32)
    for x in range(first, last):
        for y in range(height):
            pixels[y + 1] = pixels[y] + np.uint32(counts[y, x])
            for d in range(depth):
                running[y + 1, d] = running[y, d] + np.uint32(sums[y, x, d])
        for y in range(height):
            start, stop = y - arms[y, x, 2], y + arms[y, x, 3] + 1
            count = np.float32(pixels[stop] - pixels[start])
            for d in range(depth):
                total = np.float32(running[stop, d] - running[start, d])
                averaged[y, x, d] = np.uint8(total / count + np.float32(0.5))
