"""The census cost of the candidates that a search finds."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import UInt8

from corr.pipeline.stereo_candidates import find_candidates, scatter
from corr.resources import resolve_device
from corr.volume.census import FLAT, UNSEEN_COST, census, hamming_volume
from corr.volume.strips import RowsCost


def census_rows(
    left: UInt8[np.ndarray, "H W"],
    right: UInt8[np.ndarray, "H W"],
    max_disparity: int,
    *,
    search: str = "auto",
    candidates: int | None = None,
    device: str | torch.device | None = None,
) -> RowsCost:
    """How many census bits differ, as `census_volume` has it; exact at each pixel's candidates.

    Args:
        left: grey left image.
        right: grey right image, of the same size.
        max_disparity: disparities 0 to this minus 1.
        search: who finds the candidates of a pixel; `auto` scores every disparity.
        candidates: of each pixel.
        device: where the search runs; the best one present when not given.

    Raises:
        MissingExtraError: FAISS was asked for and cannot be used; when rows are computed.
    """
    words = census(left), census(right)

    def dense(top: int, bottom: int) -> UInt8[np.ndarray, "H W D"]:
        return hamming_volume(words[0][top:bottom], words[1][top:bottom], max_disparity)

    if search == "auto":
        return dense
    place = resolve_device("cpu" if search == "faiss" else device)
    unseen = np.arange(max_disparity) > np.arange(left.shape[1])[:, None]

    def rows(top: int, bottom: int) -> UInt8[np.ndarray, "H W D"]:
        bits_left, bits_right = (
            torch.from_numpy(view.view(np.uint8).reshape(*view.shape, 8))
            for view in (words[0][top:bottom] & ~FLAT, words[1][top:bottom] & ~FLAT)
        )
        found = find_candidates(
            bits_left.to(place),
            bits_right.to(place),
            max_disparity,
            search=search,
            candidates=candidates,
            metric="hamming",
        )
        cost = scatter(found, max_disparity, lambda scores: (-scores).to(torch.uint8))
        highest = np.where(unseen, 0, cost).max(2, keepdims=True)
        lowest = np.where(unseen, 255, cost).min(2, keepdims=True)
        other = np.where(lowest == highest, highest, np.minimum(highest, np.uint8(UNSEEN_COST)))
        cost = np.where(unseen, other, cost)
        flat = words[0][top:bottom] & FLAT > 0
        if flat.any():  # of these every candidate is as good as any other
            cost[flat] = dense(top, bottom)[flat]
        return cost

    return rows
