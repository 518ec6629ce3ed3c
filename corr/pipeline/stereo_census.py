"""The census cost of the candidates that a search finds."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import UInt8

from corr.pipeline.stereo_candidates import find_candidates, scatter
from corr.resources import resolve_device
from corr.volume.census import UNSEEN_COST, census, census_volume


def searched_census_volume(
    left: UInt8[np.ndarray, "H W"],
    right: UInt8[np.ndarray, "H W"],
    max_disparity: int,
    *,
    search: str = "auto",
    candidates: int | None = None,
    device: str | torch.device | None = None,
) -> UInt8[np.ndarray, "H W D"]:
    """How many census bits differ, as `census_volume` has it; exact at each pixel's candidates.

    Args:
        left: grey left image.
        right: grey right image, of the same size.
        max_disparity: disparities 0 to this minus 1.
        search: who finds the candidates of a pixel; `auto` scores every disparity.
        candidates: of each pixel.
        device: where the search runs; the best one present when not given.

    Raises:
        MissingExtraError: FAISS was asked for and cannot be used.
    """
    if search == "auto":
        return census_volume(left, right, max_disparity)
    place = resolve_device("cpu" if search == "faiss" else device)
    bits_left, bits_right = (
        torch.from_numpy(census(view).view(np.uint8).reshape(*view.shape, 8)).to(place)
        for view in (left, right)
    )
    found = find_candidates(
        bits_left,
        bits_right,
        max_disparity,
        search=search,
        candidates=candidates,
        metric="hamming",
    )
    cost = scatter(found, max_disparity, lambda scores: (-scores).to(torch.uint8))
    unseen = np.arange(max_disparity) > np.arange(left.shape[1])[:, None]
    highest = np.where(unseen, 0, cost).max(2, keepdims=True)
    return np.where(unseen, np.minimum(highest, np.uint8(UNSEEN_COST)), cost)
