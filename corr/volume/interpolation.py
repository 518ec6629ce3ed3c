"""Values for pixels without a match: what is hidden from behind, what is mistaken from around."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float32, Int32

from corr.compiled import compiled, in_pieces
from corr.volume.refine import fill_background

DIRECTIONS = np.array(
    [
        (np.round(np.sin(angle), 6), np.round(np.cos(angle), 6))
        for angle in np.arange(16) * np.pi / 8
    ],
    np.float64,
)
"""(dy, dx) of the 16 rays along which a mistaken pixel looks for matched ones."""


def mistaken(
    right: Int32[np.ndarray, "H W"], valid: Bool[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """Of the pixels without a match, those that the right view has one for at some disparity.

    The others are hidden in the right view.

    Args:
        right: disparities of the right view, px.
        valid: which pixels of the left view have a match.

    Source: Zbontar and LeCun 2016, "Stereo matching by training a convolutional neural network to
    compare image patches", section 4.3.
    """
    found = np.zeros(valid.shape, np.bool_)
    in_pieces(lambda top, bottom: _meet(right, top, bottom, found), len(valid))
    seen: Bool[np.ndarray, "H W"] = found & ~valid
    return seen


def interpolate(
    disparity: Float32[np.ndarray, "H W"],
    valid: Bool[np.ndarray, "H W"],
    mismatched: Bool[np.ndarray, "H W"],
) -> Float32[np.ndarray, "H W"]:
    """The map with a value for each pixel.

    A hidden pixel takes the smaller value of its row's nearest matched ones (`fill_background`). A
    mistaken one takes the median of the nearest matched ones in 16 directions.

    Args:
        disparity: px.
        valid: which pixels have a match.
        mismatched: which of the others are mistaken rather than hidden.

    Source: Zbontar and LeCun 2016, section 4.3.
    """
    filled = fill_background(disparity, valid)
    if not (mismatched.any() and valid.any()):
        return filled
    in_pieces(
        lambda top, bottom: _median_of_rays(
            disparity, valid, mismatched, DIRECTIONS, top, bottom, filled
        ),
        len(valid),
    )
    return filled


@compiled
@no_type_check
def _meet(right, top, bottom, found):
    """Mark the left pixels that some right pixel's disparity points to, within a pixel."""
    width = right.shape[1]
    for y in range(top, bottom):
        for x in range(width):
            place = x + right[y, x]
            for step in range(-1, 2):
                if 0 <= place + step < width:
                    found[y, place + step] = True


@compiled
@no_type_check
def _median_of_rays(disparity, valid, mismatched, directions, top, bottom, filled):  # noqa: PLR0917
    """Fill the mistaken pixels of the rows from `top` to `bottom`."""
    height, width = disparity.shape
    values = np.empty(len(directions), np.float32)
    for y in range(top, bottom):
        for x in range(width):
            if not mismatched[y, x]:
                continue
            count = 0
            for k in range(len(directions)):
                step = 1
                while True:
                    row = np.int64(np.rint(y + step * directions[k, 0]))
                    column = np.int64(np.rint(x + step * directions[k, 1]))
                    if not (0 <= row < height and 0 <= column < width):
                        break
                    if valid[row, column]:
                        values[count] = disparity[row, column]
                        count += 1
                        break
                    step += 1
            if count:
                filled[y, x] = np.median(values[:count])
