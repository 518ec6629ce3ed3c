"""From a cost volume to a disparity map: the whole chain after the cost."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8

from corr.errors import ShapeError
from corr.volume.border import continue_border
from corr.volume.confidence import Cues, measure_cues
from corr.volume.cross import cross_aggregate, cross_arms
from corr.volume.edges import align_to_edges
from corr.volume.interpolation import interpolate, mistaken
from corr.volume.presets import Preset, preset
from corr.volume.readout import agree
from corr.volume.refine import fill_background, median, smooth_steps, without_speckles
from corr.volume.strips import RowsCost, Volume, winners_of_strips


@dataclass(frozen=True, eq=False)
class Solution:
    """A full disparity map, and what of it was seen in both views."""

    disparity: Float32[np.ndarray, "H W"]
    """px; every pixel has a value."""
    valid: Bool[np.ndarray, "H W"]
    """True where both views agree; elsewhere the value was filled from the background."""
    confidence: Float32[np.ndarray, "H W"]
    """The probability that the disparity is right within 1 px; 0 where not valid."""
    cues: Cues
    """What the confidence is from."""


def solve(
    cost: Volume | RowsCost,
    image: UInt8[np.ndarray, "H W 3"],
    max_disparity: int,
    chosen: Preset | None = None,
    *,
    device: torch.device | None = None,
) -> Solution:
    """Semi-global matching, sub-pixel, left-right check, speckles, fill, median, edges, steps.

    Args:
        cost: of each disparity at each left pixel, see `corr.volume.sgm.sweep`; or a function that
            gives it for some rows, with which a large image takes bounded memory.
        image: left image, whose edges guide the depth's.
        max_disparity: disparities 0 to this minus 1.
        chosen: settings that suit the cost; those of census when not given.
        device: CUDA computes paths and read-out, with equal results.

    Raises:
        ShapeError: volume and image do not fit.
        OptionError: the costs are of another type or too high, or there are too many of a row.
    """
    chosen = chosen or preset("census")
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    rows = cost if callable(cost) else _rows_of(cost, max_disparity)
    if chosen.cross_length:
        rows = _over_crosses(rows, image, chosen)
    winners = winners_of_strips(rows, grey, max_disparity, chosen, device=device)
    valid = agree(winners) & (winners.peak_ratio > 0)
    valid = without_speckles(winners.disparity, valid, min_pixels=chosen.min_island)
    if chosen.fill == "interpolated":
        filled = interpolate(winners.disparity, valid, mistaken(winners.right, valid))
    else:
        filled = fill_background(winners.disparity, valid)
    continued = median(continue_border(filled, valid))
    disparity = smooth_steps(median(align_to_edges(continued, image), 3))
    cues = measure_cues(winners.peak_ratio, winners.disparity, valid, disparity)
    confidence = np.where(valid, chosen.calibration.probability(cues), np.float32(0))
    return Solution(disparity, valid, confidence, cues)


def _rows_of(cost: Volume, max_disparity: int) -> RowsCost:
    if cost.shape[2] != max_disparity:
        raise ShapeError(f"a volume of {cost.shape} does not hold {max_disparity} disparities")
    return lambda top, bottom: cost[top:bottom]


def _over_crosses(rows: RowsCost, image: UInt8[np.ndarray, "H W 3"], chosen: Preset) -> RowsCost:
    """The costs averaged over each pixel's cross region, within the rows that are asked for."""

    def averaged(top: int, bottom: int) -> Volume:
        arms = cross_arms(image[top:bottom], chosen.cross_length, chosen.cross_tolerance)
        return cross_aggregate(rows(top, bottom), arms)

    return averaged
