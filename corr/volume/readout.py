"""Disparities of both views from one aggregated volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, no_type_check

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt16

from corr.compiled import compiled, in_pieces

Subpixel = Literal["parabola", "equiangular"]
"""The curve through the lowest cost and its neighbours: a parabola for costs that grow with the
square of the distance, two lines of equal slope for costs that grow with the distance.

Source: Shimizu and Okutomi 2005, "Sub-pixel estimation error cancellation on area-based matching",
sections 2 and 3.
"""


@dataclass(frozen=True, eq=False)
class Winners:
    """The disparity of lowest cost, for each pixel of both views."""

    disparity: Float32[np.ndarray, "H W"]
    """Of the left view, px, sub-pixel."""
    peak_ratio: Float32[np.ndarray, "H W"]
    """In [0, 1]: by which share the best other disparity, not a neighbour, costs more."""
    right: Int32[np.ndarray, "H W"]
    """Of the right view, whole px."""


def read_winners(
    sweeps: UInt16[np.ndarray, "2 H W D"], subpixel: Subpixel = "equiangular"
) -> Winners:
    """The best disparities of both views.

    The left pixel x and the right pixel x - d share the cost at d, so the right view is a
    re-indexing of the same volume.

    Args:
        sweeps: path costs of opposite directions, whose sum decides; see `corr.volume.sgm.sweep`.
        subpixel: how the part of a pixel is found.

    Source: the peak ratio is that of Hu and Mordohai 2012, "A quantitative evaluation of confidence
    measures for stereo vision".
    """
    _, height, width, _ = sweeps.shape
    disparity = np.empty((height, width), np.float32)
    peak_ratio = np.empty((height, width), np.float32)
    right = np.empty((height, width), np.int32)
    equiangular = subpixel == "equiangular"
    in_pieces(
        lambda top, bottom: _read_rows(
            sweeps[0], sweeps[1], top, bottom, equiangular, disparity, peak_ratio, right
        ),
        height,
    )
    return Winners(disparity, peak_ratio, right)


def agree(winners: Winners, tolerance: int = 1) -> Bool[np.ndarray, "H W"]:
    """Where the right view's disparity at a pixel's match differs by at most `tolerance` px.

    Source: Hirschmueller 2008, "Stereo Processing by Semiglobal Matching and Mutual Information",
    equation 17.
    """
    whole = np.rint(winners.disparity).astype(np.int64)
    match = np.arange(whole.shape[1]) - whole
    found = np.take_along_axis(winners.right, np.maximum(match, 0), axis=1)
    consistent: Bool[np.ndarray, "H W"] = (match >= 0) & (np.abs(found - whole) <= tolerance)
    return consistent


@compiled
@no_type_check
def _read_rows(down, up, top, bottom, equiangular, disparity, peak_ratio, right):  # noqa: PLR0917
    """The winners of the rows from `top` to `bottom`.

    The right view's candidates carry their disparity in the low 16 bits, so that one minimum over
    numbers finds the lowest cost and, of equal ones, the smallest disparity.
    """
    _, width, depth = down.shape
    nearest = np.empty(width + depth, np.uint32)
    costs = np.empty(depth, np.uint16)
    for y in range(top, bottom):
        nearest[:] = np.uint32(0xFFFFFFFF)
        for x in range(width):
            best = np.uint16(65535)
            for d in range(depth):
                costs[d] = np.uint16(down[y, x, d] + up[y, x, d])
                best = min(best, costs[d])
            winner = 0
            while costs[winner] != best:
                winner += 1
            disparity[y, x] = winner + _offset(costs, winner, equiangular)
            peak_ratio[y, x] = _peak_ratio(costs, winner)
            start = width - 1 - x
            for d in range(min(depth, x + 1)):
                key = (np.uint32(costs[d]) << np.uint32(16)) | np.uint32(d)
                nearest[start + d] = min(nearest[start + d], key)
        for x in range(width):
            right[y, x] = nearest[width - 1 - x] & np.uint32(0xFFFF)


@compiled
@no_type_check
def _offset(costs, winner, equiangular):
    """Where the curve through the winner and its neighbours is lowest, in [-0.5, 0.5]."""
    if winner == 0 or winner == len(costs) - 1:
        return 0.0
    below = np.float64(costs[winner - 1]) - np.float64(costs[winner])
    above = np.float64(costs[winner + 1]) - np.float64(costs[winner])
    scale = max(below, above) if equiangular else below + above
    return 0.5 * (below - above) / scale if scale > 0 else 0.0


@compiled
@no_type_check
def _peak_ratio(costs, winner):
    """By which share the best disparity that is no neighbour of the winner costs more."""
    rival = np.uint16(65535)
    for d in range(winner - 1):
        rival = min(rival, costs[d])
    for d in range(winner + 2, len(costs)):
        rival = min(rival, costs[d])
    if len(costs) <= 3 and rival == 65535:
        return 0.0
    return (np.float64(rival) - np.float64(costs[winner])) / max(1.0, np.float64(rival))
