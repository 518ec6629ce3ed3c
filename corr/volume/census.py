"""The census transform and its cost volume: robust to exposure, needs no training."""

from __future__ import annotations

from typing import no_type_check

import cv2
import numpy as np
from jaxtyping import UInt8, UInt64
from numba.extending import intrinsic

from corr.compiled import compiled, in_pieces
from corr.errors import OptionError, ShapeError

WINDOW = (7, 9)
"""Rows and columns compared with the pixel in their middle: 62 bits fit one word."""

UNSEEN_COST = 14
"""Cost of a match outside the right image; or the pixel's highest other cost, where that is lower
or all others are equal, so that nothing is preferred.
True matches of real pairs cost 9 to 20 on average: a higher value would push the left border's
pixels away from what is not seen, a lower one towards it.
"""


FLAT = np.uint64(1 << 63)
"""The bit of a word that says that all pixels of its window are equal."""


def census(image: UInt8[np.ndarray, "H W"]) -> UInt64[np.ndarray, "H W"]:
    """One bit for each neighbour in the window: whether it is darker than the pixel; and `FLAT`.

    Outside the image the border repeats.

    Source: Zabih and Woodfill 1994, "Non-parametric local transforms for computing visual
    correspondence", section 3.
    """
    up, side = WINDOW[0] // 2, WINDOW[1] // 2
    padded = np.pad(image, ((up, up), (side, side)), mode="edge")
    words = np.zeros(image.shape, np.uint64)
    in_pieces(lambda top, bottom: _compare(padded, up, side, top, bottom, words), len(image))
    window = np.ones(WINDOW, np.uint8)
    words[cv2.dilate(image, window) == cv2.erode(image, window)] |= FLAT
    return words


def census_volume(
    left: UInt8[np.ndarray, "H W"],
    right: UInt8[np.ndarray, "H W"],
    max_disparity: int,
    *,
    unseen_cost: int = UNSEEN_COST,
) -> UInt8[np.ndarray, "H W D"]:
    """How many census bits differ between a left pixel and the right one `d` px to its left.

    A left window without any contrast says nothing about windows that have some: all of these cost
    as much as what is not seen. So a black view has no match, rather than some match.

    Args:
        left: grey left image.
        right: grey right image.
        max_disparity: disparities 0 to this minus 1.
        unseen_cost: where the match would lie outside the right image; see `UNSEEN_COST`.

    Raises:
        ShapeError: the images differ in size.
        OptionError: max_disparity is below 1.
    """
    return hamming_volume(census(left), census(right), max_disparity, unseen_cost=unseen_cost)


def hamming_volume(
    left: UInt64[np.ndarray, "H W"],
    right: UInt64[np.ndarray, "H W"],
    max_disparity: int,
    *,
    unseen_cost: int = UNSEEN_COST,
) -> UInt8[np.ndarray, "H W D"]:
    """`census_volume` of words that are there already, such as those of some rows of an image.

    Raises:
        ShapeError: the words are of images that differ in size.
        OptionError: max_disparity is below 1.
    """
    if left.shape != right.shape:
        raise ShapeError(f"left is {left.shape} and right {right.shape}; a pair has one size")
    if max_disparity < 1:
        raise OptionError(f"max_disparity is {max_disparity}; use 1 or more")
    cost = np.empty((*left.shape, max_disparity), np.uint8)
    in_pieces(lambda top, bottom: _differ(left, right, top, bottom, unseen_cost, cost), len(left))
    return cost


@compiled
@no_type_check
def _compare(padded, up, side, top, bottom, words):  # noqa: PLR0917
    """Census words of the rows from `top` to `bottom`."""
    for y in range(top, bottom):
        for i in range(2 * up + 1):
            for j in range(2 * side + 1):
                if i == up and j == side:
                    continue
                for x in range(words.shape[1]):
                    darker = padded[y + i, x + j] < padded[y + up, x + side]
                    words[y, x] = (words[y, x] << np.uint64(1)) | np.uint64(darker)


@intrinsic
@no_type_check
def _count_bits(_context, word):
    def build(_generator, builder, _signature, arguments):
        return builder.ctpop(arguments[0])

    return word(word), build


@compiled
@no_type_check
def _differ(left, right, top, bottom, unseen_cost, cost):  # noqa: PLR0917
    """Hamming distances of the rows from `top` to `bottom`.

    A row of the right image is mirrored first, so that growing disparities are read forwards and
    the loop over them becomes vector instructions.
    """
    _, width, depth = cost.shape
    mirrored = np.empty(width, np.uint64)
    for y in range(top, bottom):
        for x in range(width):
            mirrored[width - 1 - x] = right[y, x]
        for x in range(width):
            word, row = left[y, x], cost[y, x]
            seen = min(depth, x + 1)
            start = width - 1 - x
            if word & FLAT:
                for d in range(seen):
                    row[d] = 0 if mirrored[start + d] & FLAT else np.uint8(unseen_cost)
            else:
                for d in range(seen):
                    row[d] = np.uint8(_count_bits((word ^ mirrored[start + d]) & ~FLAT))
            lowest = highest = row[0]
            for d in range(seen):
                lowest, highest = min(lowest, row[d]), max(highest, row[d])
            other = highest if lowest == highest else min(np.uint8(unseen_cost), highest)
            for d in range(seen, depth):
                row[d] = other
