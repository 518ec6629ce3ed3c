"""How far a rectified pair has to be searched."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.volume.census import census_volume
from corr.volume.readout import agree, read_winners
from corr.volume.refine import without_speckles
from corr.volume.sgm import Penalties, aggregate

COARSE_WIDTH = 256
"""Width to which a wider pair is reduced for the estimate, px."""

REACH = 0.5
"""Largest disparity considered, as a share of the width."""

MARGIN = 1.15
"""The estimate over the largest disparity found."""


def estimate_max_disparity(left: UInt8[np.ndarray, "H W"], right: UInt8[np.ndarray, "H W"]) -> int:
    """A range that holds the disparities of a pair, from a match of reduced images; at least 16.

    The reduced pair is searched over half its width. Of the pixels on which both views agree, less
    small islands, the largest disparity but for one in a thousand is taken, with a margin. Where
    nothing agrees, as on a black image, the range is an eighth of the width.

    Args:
        left: grey left image.
        right: grey right image, of the same size.
    """
    width = left.shape[1]
    scale = min(1.0, COARSE_WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(len(left) * scale)))
    coarse_left, coarse_right = (
        cv2.resize(view, size, interpolation=cv2.INTER_AREA) for view in (left, right)
    )
    reach = max(1, int(REACH * size[0]))
    cost = census_volume(coarse_left, coarse_right, reach)
    winners = read_winners(aggregate(cost, coarse_left, Penalties()))
    valid = agree(winners) & (winners.confidence > 0)
    valid = without_speckles(winners.disparity, valid, min_pixels=cost[..., 0].size // 1000)
    if valid.any():
        found = (float(np.quantile(winners.disparity[valid], 0.999)) + 1) / scale
    else:
        found = width / 8
    return int(min(width, max(16, round(MARGIN * found))))
