"""A rectified pair of images -> a disparity map."""

from __future__ import annotations

import operator
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from corr.classical.stereo import bm, sgbm
from corr.errors import ImageError, OptionError
from corr.formats import as_image
from corr.models.network import Network
from corr.pipeline.stereo_candidates import check_search
from corr.pipeline.stereo_cost import pair_cost, resolve_costs
from corr.resources import resolve_device
from corr.results import DisparityMap
from corr.volume.disparity_range import estimate_max_disparity, look_swapped
from corr.volume.solve import solve
from corr.volume.strips import strip_rows

FEW_MATCHED = 0.5
"""Where a smaller share of the pixels has a match, the views may be in the wrong order."""

OPENCV = {"sgbm": sgbm, "bm": bm}
"""Methods that OpenCV does in one step."""


def disparity(
    left: Any,
    right: Any,
    *,
    max_disparity: int | None = None,
    model: str | Path | Network | None = None,
    fill: bool = True,
    search: str = "auto",
    candidates: int | None = None,
    device: str | torch.device | None = None,
) -> DisparityMap:
    """How far each pixel of the left image has moved to the left in the right image.

    Args:
        left: a path, a uint8 array `(H, W, 3)` RGB or `(H, W)`, or a float tensor `(3, H, W)` in
            [0, 1]; rectified, so that a point has the same row in both views.
        right: the other view, of the same size.
        max_disparity: search 0 to this minus 1, px (not beyond the image's width); estimated when
            not given. A pair that seems to be swapped brings a warning.
        model: `stereo` (the default), another network of patches or of every place (a name that
            `corr models` lists, a folder that training wrote, or a loaded network), whose
            similarity is the cost; `census`, which is faster; `sgbm` or `bm`. Names joined by `+`,
            such as `census+hardnet`, average their costs.
        fill: give a value to what only one view sees; otherwise NaN.
        search: who finds the candidates of a pixel, for `census` and networks: `auto` scores every
            disparity; `exact`, `faiss` (on the CPU) and `faiss-gpu` score the most similar pixels
            of its row, and the others cost as much as the worst of them.
        candidates: of each pixel, where they are searched; 32 when not given.
        device: where a network and semi-global matching run; the best one present when not given.

    Raises:
        ImageError: an image cannot be read or used, or the two differ in size.
        MissingExtraError: FAISS was asked for and cannot be used.
        ModelError: the model is unknown or does not do disparity.
        OptionError: max_disparity is not a whole number above 0, the volume is too large, or the
            search is unknown or not for this model.

    Images of any number of rows take bounded memory (see `corr.volume.strips`), about 2 GB and 60
    bytes a pixel, with `stereo` 250.
    """
    chosen = resolve_costs(model, tuple(OPENCV))
    check_search(search, candidates)
    complete = next((name for name in chosen if isinstance(name, str) and name in OPENCV), None)
    if complete and search != "auto":
        raise OptionError(
            f"model '{complete}' does its own search; leave out search '{search}', or use model "
            "'census' or a network"
        )
    depth = None if max_disparity is None else _whole(max_disparity)
    views = as_image(left), as_image(right)
    if views[0].shape != views[1].shape:
        sizes = [f"{view.shape[1]} x {view.shape[0]}" for view in views]
        raise ImageError(
            f"left is {sizes[0]} and right {sizes[1]} pixels; a rectified pair has one size"
        )
    grey_left, grey_right = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in views)
    swapped: bool | None = None
    if depth is None:
        depth, swapped = estimate_max_disparity(grey_left, grey_right)
    height, width = grey_left.shape
    depth = min(depth, width)
    strip_rows(height, width, depth)  # refuses what is too wide before anything is computed
    if complete:
        found, valid = OPENCV[complete](grey_left, grey_right, depth)
        confidence = valid.astype(np.float32)
    else:
        place = resolve_device(device)
        cost, settings = pair_cost(
            chosen, *views, depth, place, search=search, candidates=candidates
        )
        solution = solve(cost, views[0], depth, settings, device=place)
        found, valid, confidence = solution.disparity, solution.valid, solution.confidence
    if swapped is None and np.mean(confidence > 0) < FEW_MATCHED:
        swapped = look_swapped(grey_left, grey_right)
    if swapped:
        warnings.warn(
            "left and right seem to be swapped: they agree better in the other order", stacklevel=2
        )
    if not fill:
        found = np.where(valid, found, np.float32(np.nan))
    return DisparityMap(found, confidence)


def _whole(max_disparity: object) -> int:
    try:
        depth = 0 if isinstance(max_disparity, bool) else operator.index(max_disparity)  # type: ignore[arg-type]  # anything may be given
    except TypeError:
        depth = 0
    if depth < 1:
        raise OptionError(f"max_disparity is {max_disparity}; use a whole number of 1 or more")
    return depth
