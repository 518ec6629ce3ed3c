"""How far a rectified pair has to be searched, and whether it is in the right order."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from corr.volume.census import census_volume
from corr.volume.readout import agree, read_winners
from corr.volume.refine import without_speckles
from corr.volume.sgm import sweep

COARSE_WIDTH = 256
"""Width to which a wider pair is reduced for the estimate, px."""

REACH = 0.5
"""Largest disparity considered, as a share of the width."""

MARGIN = 1.15
"""The estimate over the largest disparity found."""

SWAPPED_EVIDENCE = 2.0
"""How many times more the views must agree in the other order to be called swapped. On real pairs
the right order has four to twenty times more."""


class _Coarse(NamedTuple):
    """What both views agree on in a reduced pair."""

    disparities: Float32[np.ndarray, " N"]
    scale: float
    evidence: float
    """Mean peak ratio over all pixels, 0 where the views do not agree."""


def estimate_max_disparity(
    left: UInt8[np.ndarray, "H W"], right: UInt8[np.ndarray, "H W"]
) -> tuple[int, bool]:
    """A range that holds the disparities of a pair, and whether its views seem to be swapped.

    The reduced pair is searched over half its width. Of the pixels on which both views agree, less
    small islands, the largest disparity but for one in a thousand is taken, with a margin; the
    range is at least 16. Where nothing agrees, as on a black image, it is an eighth of the width.

    Args:
        left: grey left image.
        right: grey right image, of the same size.
    """
    width = left.shape[1]
    found = _match_coarsely(left, right)
    swapped = _swapped(found, left, right)
    if len(found.disparities):
        largest = (float(np.quantile(found.disparities, 0.999)) + 1) / found.scale
    else:
        largest = width / 8
    return min(width, max(16, round(MARGIN * largest))), swapped


def look_swapped(left: UInt8[np.ndarray, "H W"], right: UInt8[np.ndarray, "H W"]) -> bool:
    """Whether the views of a pair agree much better in the other order, in reduced size.

    Args:
        left: grey left image.
        right: grey right image, of the same size.
    """
    return _swapped(_match_coarsely(left, right), left, right)


def _swapped(
    found: _Coarse, left: UInt8[np.ndarray, "H W"], right: UInt8[np.ndarray, "H W"]
) -> bool:
    return _match_coarsely(right, left).evidence > SWAPPED_EVIDENCE * found.evidence


def _match_coarsely(left: UInt8[np.ndarray, "H W"], right: UInt8[np.ndarray, "H W"]) -> _Coarse:
    height, width = left.shape
    scale = min(1.0, COARSE_WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    views = [cv2.resize(view, size, interpolation=cv2.INTER_AREA) for view in (left, right)]
    cost = census_volume(views[0], views[1], max(1, int(REACH * size[0])))
    winners = read_winners(sweep(cost, views[0]))
    valid = agree(winners) & (winners.peak_ratio > 0)
    evidence = float(np.mean(winners.peak_ratio * valid))
    valid = without_speckles(winners.disparity, valid, min_pixels=size[0] * size[1] // 1000)
    return _Coarse(winners.disparity[valid], scale, evidence)
