"""A cost volume from a few candidates of each pixel, found by a nearest-neighbour search."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from torch import Tensor

from corr.errors import OptionError
from corr.search import RowBand, nearest
from corr.search.faiss_rows import RowCandidates, search_rows

SEARCHES = ("auto", "exact", "faiss", "faiss-gpu")
"""`auto` scores every disparity and searches nothing."""

CANDIDATES = 32
"""Candidates of a pixel when no number is given."""


def check_search(search: str, candidates: int | None) -> None:
    """Refuse a search that is not known, and candidates where nothing is searched.

    Raises:
        OptionError: says what is accepted.
    """
    if search not in SEARCHES:
        raise OptionError(f"search '{search}' is not known; use one of {', '.join(SEARCHES)}")
    if candidates is None:
        return
    if isinstance(candidates, bool) or not isinstance(candidates, int) or candidates < 1:
        raise OptionError(f"candidates is {candidates}; use a whole number of 1 or more")
    if search == "auto":
        raise OptionError(
            f"candidates is {candidates}, and search 'auto' scores every disparity; use search "
            "'exact', 'faiss' or 'faiss-gpu'"
        )


def find_candidates(
    left: Shaped[Tensor, "H W D"],
    right: Shaped[Tensor, "H W D"],
    max_disparity: int,
    *,
    search: str,
    candidates: int | None,
    metric: str,
) -> RowCandidates:
    """The most similar right pixels of each left pixel.

    `exact` finds the best within the range; FAISS finds the best of the whole row, of which those
    outside the range are marked.

    Args:
        left: descriptors of the left view's pixels.
        right: of the right view's.
        max_disparity: disparities 0 to this minus 1.
        search: `exact`, `faiss` or `faiss-gpu`.
        candidates: of each pixel; `CANDIDATES` when None.
        metric: as in `corr.search.nearest`.
    """
    k = candidates or CANDIDATES
    if search == "exact":
        return _exact(left, right, max_disparity, k, metric)
    return search_rows(left, right, max_disparity, k, metric, gpu=search == "faiss-gpu")


def scatter(
    found: RowCandidates,
    max_disparity: int,
    to_cost: Callable[[Tensor], UInt8[Tensor, "H W K"]],
) -> UInt8[np.ndarray, "H W D"]:
    """The cost of each candidate at its disparity, and elsewhere the highest of the pixel's.

    What is no candidate costs at least that.

    Args:
        found: candidates of each pixel.
        max_disparity: number of disparities.
        to_cost: turns scores into costs.
    """
    known = found.scores > -torch.inf
    cost = to_cost(found.scores.where(known, 0))
    highest = cost.where(known, 0).amax(2, keepdim=True)
    # One place more takes those outside the range.
    volume = highest.repeat(1, 1, max_disparity + 1)
    place = torch.where(known & (found.disparity >= 0), found.disparity, max_disparity)
    volume.scatter_(2, place, cost)
    filled: UInt8[np.ndarray, "H W D"] = volume[..., :max_disparity].contiguous().cpu().numpy()
    return filled


def _exact(left: Tensor, right: Tensor, max_disparity: int, k: int, metric: str) -> RowCandidates:
    height, width = left.shape[:2]
    y, x = np.mgrid[:height, :width]
    points = np.stack((x, y), 2).reshape(-1, 2)
    found = nearest(
        left.flatten(0, 1),
        right.flatten(0, 1),
        min(k, max_disparity, width),
        metric=metric,
        constraint=RowBand(max_disparity, 0, points, points),
        backend="exact",
    )
    column = torch.arange(width, device=left.device).repeat(height)[:, None]
    disparity = torch.where(found.index >= 0, column - found.index % width, -1)
    shape = height, width, -1
    return RowCandidates(disparity.view(shape), found.scores.view(shape))
