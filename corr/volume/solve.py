"""From a cost volume to a disparity map: the whole chain after the cost."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Integer, UInt8

from corr.volume.edges import align_to_edges
from corr.volume.readout import agree, read_winners
from corr.volume.refine import fill_background, median, without_speckles
from corr.volume.sgm import Penalties, aggregate


@dataclass(frozen=True, eq=False)
class Solution:
    """A full disparity map, and what of it was seen in both views."""

    disparity: Float32[np.ndarray, "H W"]
    """px; every pixel has a value."""
    valid: Bool[np.ndarray, "H W"]
    """True where both views agree; elsewhere the value was filled from the background."""
    confidence: Float32[np.ndarray, "H W"]
    """In [0, 1]; 0 where not valid."""


def solve(
    cost: Integer[np.ndarray, "H W D"] | Float[np.ndarray, "H W D"],
    image: UInt8[np.ndarray, "H W 3"],
    penalties: Penalties | None = None,
) -> Solution:
    """Semi-global matching, sub-pixel, left-right check, speckles, fill, median, edges.

    Args:
        cost: of each disparity at each left pixel, see `corr.volume.sgm.aggregate`.
        image: left image, whose edges guide the depth's.
        penalties: what changes of disparity cost, in units of the volume.

    Raises:
        ShapeError: volume and image do not fit.
        OptionError: the costs are of another type or too high.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    winners = read_winners(aggregate(cost, grey, penalties))
    valid = agree(winners) & (winners.confidence > 0)
    valid = without_speckles(winners.disparity, valid)
    disparity = median(fill_background(winners.disparity, valid))
    disparity = median(align_to_edges(disparity, image), 3)
    return Solution(disparity, valid, np.where(valid, winners.confidence, np.float32(0)))
