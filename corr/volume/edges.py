"""Depth edges moved to the image's: a median weighted by likeness in colour."""

from __future__ import annotations

from typing import no_type_check

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from corr.compiled import compiled, in_pieces

RADIUS = 10
"""Half the side of the window whose pixels vote, px; every second one in x and in y does."""

NEAR = 4
"""Pixels this close to a jump of disparity are looked at, px."""

JUMP = 2.0
"""Smallest difference of disparity that is a jump, px."""

COLOUR_RANGE, SPACE_RANGE = 15.0, 10.0
"""Where the weight falls to 1/e: summed difference of the colour channels, and distance in px."""


def align_to_edges(
    disparity: Float32[np.ndarray, "H W"], image: UInt8[np.ndarray, "H W 3"]
) -> Float32[np.ndarray, "H W"]:
    """The map with each pixel near a jump given the disparity of what looks like it.

    A window matched across an edge makes the nearer surface too large. The weighted median of the
    disparities around takes it back to where the colour changes. Values that stay within a pixel
    keep their sub-pixel part.

    Args:
        disparity: px, >= 0, without holes.
        image: left image.

    Source: Ma 2013, "Constant Time Weighted Median Filtering for Stereo Matching and Beyond",
    section 2, with exponential weights.
    """
    around = np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)
    near = cv2.dilate(disparity, around) - cv2.erode(disparity, around) > JUMP
    colour_weight = np.exp(-np.arange(3 * 255 + 1) / COLOUR_RANGE).astype(np.float32)
    offset = np.arange(-RADIUS, RADIUS + 1, 2)
    distance = np.hypot(offset[:, None], offset)
    space_weight = np.exp(-distance / SPACE_RANGE).astype(np.float32)
    aligned = disparity.copy()
    depth = int(disparity.max()) + 2
    in_pieces(
        lambda top, bottom: _vote(
            disparity, image, near, top, bottom, depth, colour_weight, space_weight, aligned
        ),
        len(disparity),
    )
    return aligned


@compiled
@no_type_check
def _vote(disparity, image, near, top, bottom, depth, colour_weight, space_weight, aligned):  # noqa: PLR0917
    """The weighted medians of the rows from `top` to `bottom`, by a histogram of whole px."""
    height, width = disparity.shape
    votes = np.zeros(depth + 1, np.float32)
    for y in range(top, bottom):
        for x in range(width):
            if not near[y, x]:
                continue
            votes[:] = 0
            for i in range(space_weight.shape[0]):
                row = y - RADIUS + 2 * i
                if not 0 <= row < height:
                    continue
                for j in range(space_weight.shape[1]):
                    column = x - RADIUS + 2 * j
                    if not 0 <= column < width:
                        continue
                    difference = 0
                    for c in range(3):
                        difference += abs(
                            np.int64(image[row, column, c]) - np.int64(image[y, x, c])
                        )
                    weight = colour_weight[difference] * space_weight[i, j]
                    votes[np.int64(disparity[row, column] + 0.5)] += weight
            chosen = _median_of(votes)
            if abs(chosen - disparity[y, x]) >= 1:
                aligned[y, x] = chosen


@compiled
@no_type_check
def _median_of(votes):
    """Where half of the votes are reached: the mean of that place and its two neighbours."""
    half = 0.5 * votes.sum()
    reached, place = votes[0], 0
    while reached < half and place < len(votes) - 1:
        place += 1
        reached += votes[place]
    total, weighted = np.float32(0), np.float32(0)
    for k in range(max(0, place - 1), min(len(votes), place + 2)):
        total += votes[k]
        weighted += votes[k] * k
    return weighted / total
