"""FAISS for rectified stereo: a match lies in the same row, so each row has an index of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import torch
from jaxtyping import Float, Float32, Int64, Shaped
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.search.faiss import Found, as_rows, flat
from corr.search.faiss_gpu import MAX_K
from corr.search.faiss_library import faiss_library
from corr.search.neighbors import Neighbors


@dataclass(frozen=True, eq=False)
class RowCandidates:
    """For each pixel of a left view, the right view's pixels in its row that are most like it."""

    disparity: Int64[Tensor, "H W K"]
    """px, best first; -1 for a candidate outside the range."""
    scores: Float32[Tensor, "H W K"]
    """Rises when better. Those outside the range keep their own: no pixel that is not listed scores
    higher than the lowest."""


@torch.no_grad()
def search_rows(
    left: Shaped[Tensor, "H W D"],
    right: Shaped[Tensor, "_ _ _"],
    max_disparity: int,
    k: int,
    metric: str,
    *,
    gpu: bool = False,
) -> RowCandidates:
    """The k nearest of each left pixel in its row, those outside the range marked.

    Args:
        left: descriptors of the left view; floating, or uint8 bits for `hamming`.
        right: of the right view.
        max_disparity: disparities 0 to this minus 1.
        k: candidates of a pixel, from the whole row; the row's width at most is used.
        metric: as in `nearest`.
        gpu: search on the GPU that holds the descriptors.

    Raises:
        MissingExtraError: FAISS is not installed or cannot be used.
        OptionError: k or max_disparity below 1, or k above what a GPU selects.
        ShapeError: the views differ in size.
    """
    if left.shape != right.shape:
        raise ShapeError(
            f"left descriptors are {tuple(left.shape)} and right ones {tuple(right.shape)}; "
            "a pair has one size"
        )
    for name, value in (("k", k), ("max_disparity", max_disparity)):
        if value < 1:
            raise OptionError(f"{name} is {value}; use 1 or more")
    library = faiss_library(gpu=gpu)
    height, width = left.shape[:2]
    k = min(k, width)
    columns = torch.arange(width, device=left.device)[:, None]
    disparity = torch.empty(height, width, k, dtype=torch.int64, device=left.device)
    scores = torch.empty(height, width, k, device=left.device)
    for y in range(height):
        queries, database = as_rows(left[y], metric), as_rows(right[y], metric)
        found, scores[y] = flat(library, queries, database, k, metric, gpu=gpu)
        disparity[y] = columns - found
    disparity[(disparity < 0) | (disparity >= max_disparity)] = -1
    return RowCandidates(disparity, scores)


@torch.no_grad()
def search_row_band(
    queries: Shaped[Tensor, "N _"],
    database: Shaped[Tensor, "M _"],
    k: int,
    metric: str,
    both_ways: bool,
    *,
    points0: Float[Tensor, "N 2"],
    points1: Float[Tensor, "M 2"],
    max_disparity: float | int,
    tolerance: float | int,
    gpu: bool = False,
) -> Neighbors:
    """The k nearest of each query among those in its row and in range, exactly.

    Pairs are accepted where `|y0 - y1| <= tolerance` and `0 <= x0 - x1 <= max_disparity - 1`.
    Where fewer than k are, index is -1 and the score minus infinity.

    Args:
        queries: descriptors of the left view's points.
        database: descriptors of the right view's points.
        k: how many.
        metric: as in `nearest`.
        both_ways: also find the nearest queries of each database row.
        points0: (x, y) of the queries, px.
        points1: (x, y) of the database rows, px.
        max_disparity: px.
        tolerance: how far two points of one row may differ in y, px.
        gpu: search on the GPU that holds the descriptors.

    Raises:
        MissingExtraError: FAISS is not installed or cannot be used.
        OptionError: the points do not lie in rows further apart than the tolerance.
    """
    library = faiss_library(gpu=gpu)
    name = "faiss-gpu" if gpu else "faiss"
    tables = as_rows(queries, metric), as_rows(database, metric)
    points = points0.to(queries.device), points1.to(queries.device)
    rows = list(_rows_of(points[0][:, 1], points[1][:, 1], tolerance))

    def one_way(first: int, sign: int) -> Neighbors:
        count = min(k, len(tables[1 - first]))
        shape = len(tables[first]), count
        index = torch.full(shape, -1, dtype=torch.int64, device=queries.device)
        scores = torch.full(shape, -torch.inf, device=queries.device)
        for row in rows:
            here, there = row[first], row[1 - first]
            if not len(here) or not len(there):
                continue
            found, score = _whole_row(
                library, tables[first][here], tables[1 - first][there], metric, gpu=gpu
            )
            x_here, x_there = points[first][here, 0], points[1 - first][there, 0]
            disparity = sign * (x_here[:, None] - x_there[found])
            outside = (disparity < 0) | (disparity > max_disparity - 1)
            score = score.masked_fill(outside, -torch.inf)
            best = score.sort(dim=1, descending=True, stable=True).indices[:, :count]
            score, found = score.gather(1, best), there[found.gather(1, best)]
            index[here, : best.shape[1]] = found.masked_fill(score == -torch.inf, -1)
            scores[here, : best.shape[1]] = score
        return Neighbors(index, scores, backend=name)

    forward = one_way(0, 1)
    reverse = one_way(1, -1) if both_ways else None
    return Neighbors(forward.index, forward.scores, reverse, backend=name)


def _whole_row(
    library: ModuleType, queries: Tensor, database: Tensor, metric: str, *, gpu: bool
) -> Found:
    """Every column of a row with its score, best first."""
    if not gpu or len(database) <= MAX_K:
        return flat(library, queries, database, len(database), metric, gpu=gpu)
    parts = [
        (start, flat(library, queries, database[start : start + MAX_K], MAX_K, metric, gpu=True))
        for start in range(0, len(database), MAX_K)
    ]
    index = torch.cat([start + found for start, (found, _) in parts], 1)
    scores, order = torch.cat([score for _, (_, score) in parts], 1).sort(
        dim=1, descending=True, stable=True
    )
    return index.gather(1, order), scores


def _rows_of(y0: Tensor, y1: Tensor, tolerance: float) -> Iterator[tuple[Tensor, Tensor]]:
    """The points of each row, on both sides, in the order of their number."""
    heights, side = torch.cat((y0, y1)).double().sort(stable=True)
    if not len(heights):
        return
    starts = torch.ones(len(heights), dtype=torch.bool, device=heights.device)
    starts[1:] = heights.diff() > tolerance
    row = starts.cumsum(0) - 1
    first = heights[starts]
    spread = float((heights - first[row]).max())
    if spread > tolerance:
        raise OptionError(
            f"tolerance is {tolerance:g} px and the points lie closer than that in y without "
            "forming rows; search 'faiss' needs rows further apart than the tolerance: use a "
            "smaller tolerance or search 'exact'"
        )
    numbers = torch.empty_like(row)
    numbers[side] = row
    sides = (_members(part, len(first)) for part in (numbers[: len(y0)], numbers[len(y0) :]))
    yield from zip(*sides, strict=True)


def _members(numbers: Tensor, count: int) -> tuple[Tensor, ...]:
    order = numbers.argsort(stable=True)
    return torch.split(order, numbers.bincount(minlength=count).tolist())
