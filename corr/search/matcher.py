"""Which descriptors of two images belong together: mutual neighbours, ratio test, threshold."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, Shaped
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.search.checks import as_tensor, check_backend
from corr.search.constraints import Points, as_points
from corr.search.exclusion import Exclusion
from corr.search.interface import nearest

ROUNDING = 1e-6
"""Squared distances of unit vectors closer than this are equal: float32 products are no finer."""


@torch.no_grad()
def match_descriptors(
    descriptors0: Shaped[np.ndarray | Tensor, "N _"],
    descriptors1: Shaped[np.ndarray | Tensor, "M _"],
    *,
    mutual: bool = True,
    one_to_one: bool = False,
    ratio: float | None = None,
    inconsistent_px: float | None = None,
    keypoints1: Points | None = None,
    min_score: float | None = None,
    backend: str = "auto",
    device: str | torch.device | None = None,
) -> tuple[Int64[np.ndarray, "K 2"], Float32[np.ndarray, " K"]]:
    """Index pairs (into 0, into 1) of the descriptors that match, and the similarity of each.

    The similarity is the inner product of unit-length rows, or the share of equal bits of uint8
    rows. Pairs come in the order of `descriptors0`.

    Args:
        descriptors0: unit-length floating rows, or uint8 rows of packed bits.
        descriptors1: of the same kind and length.
        mutual: keep a pair only where each is the other's nearest.
        one_to_one: of the pairs that share a row of `descriptors1` keep only the most similar, the
            first of equal ones; mutual pairs share none.
        ratio: keep a pair only where its distance is below this share of the distance to the
            second nearest of `descriptors1`; at most 1. Source: Lowe 2004, section 7.1.
        inconsistent_px: take as the second nearest the first that is farther than this from the
            nearest in image 1, so that one point detected twice does not fail the ratio test.
            Source: Mishkin et al. 2015, "MODS", section 3.3 (first geometrically inconsistent).
        keypoints1: (x, y) px of `descriptors1`, for `inconsistent_px`.
        min_score: keep a pair only where its similarity is at least this.
        backend: who searches, as in `nearest`.
        device: where to search; where the descriptors are when not given.

    Raises:
        OptionError: an option outside what is accepted, or rows that are not of unit length.
        ShapeError: rows of different length, or keypoints of another number.
        MissingExtraError: faiss was asked for and is not installed.
    """
    check_options(ratio, min_score, backend, inconsistent_px)
    table0, table1 = (as_tensor(table) for table in (descriptors0, descriptors1))
    if device is not None:
        table0, table1 = table0.to(device), table1.to(device)
    places1 = _places(keypoints1, len(table1)) if inconsistent_px is not None else None
    binary = table0.dtype == torch.uint8
    metric = "hamming" if binary else "dot"
    found = nearest(
        table0,
        table1,
        metric=metric,
        both_ways=mutual,
        return_second=ratio is not None,
        backend=backend,
    )
    if not binary:
        _check_length("descriptors0", table0)
        _check_length("descriptors1", table1)
    if not found.scores.numel():
        return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    nearest1, best = found.index[:, 0], found.scores[:, 0]
    index0 = torch.arange(len(table0), device=table0.device)
    keep = torch.ones_like(index0, dtype=torch.bool)
    if found.reverse is not None:
        keep &= found.reverse.index[nearest1, 0] == index0
    similarity = 1 + best / (8 * table0.shape[1]) if binary else best
    if min_score is not None:
        keep &= similarity >= min_score
    if ratio is not None and found.second is not None:
        passes = _passes_ratio(best, found.second, ratio, binary)
        if places1 is not None and inconsistent_px is not None:
            # Whatever passes by the second nearest passes by one that is no nearer.
            rows = (keep & ~passes).nonzero().flatten()
            around = places1[nearest1[rows].cpu().numpy()]
            excluded = Exclusion(points0=around, points1=places1, radius=inconsistent_px)
            other = nearest(
                table0[rows], table1, metric=metric, constraint=excluded, backend=backend
            )
            passes[rows] = _passes_ratio(best[rows], other.scores[:, 0], ratio, binary)
        keep &= passes
    if one_to_one:
        keep &= _is_best_of_its_column(keep, nearest1, similarity, len(table1))
    pairs = torch.stack((index0, nearest1), 1)[keep]
    return pairs.cpu().numpy(), similarity[keep].cpu().numpy()


def check_options(
    ratio: float | None,
    min_score: float | None,
    backend: str,
    inconsistent_px: float | None = None,
) -> None:
    """Refuse options of `match_descriptors` outside what is accepted.

    Raises:
        OptionError: says what is accepted.
    """
    if ratio is not None and not 0 < ratio <= 1:
        raise OptionError(f"ratio is {ratio}; use a value in (0, 1]")
    if min_score is not None and not -1 <= min_score <= 1:
        raise OptionError(f"min_score is {min_score}; use a value in [-1, 1]")
    if inconsistent_px is not None and not 0 <= inconsistent_px < np.inf:
        raise OptionError(f"inconsistent_px is {inconsistent_px}; use 0 px or more")
    if inconsistent_px is not None and ratio is None:
        raise OptionError(
            f"inconsistent_px is {inconsistent_px}, and the ratio test that it is for is off; "
            "give a ratio, too"
        )
    check_backend(backend)


def _places(keypoints1: Points | None, num_rows: int) -> Shaped[np.ndarray, "M 2"]:
    if keypoints1 is None:
        raise OptionError("inconsistent_px needs keypoints1, which were not given")
    places = as_points("keypoints1", keypoints1)
    if len(places) != num_rows:
        raise ShapeError(
            f"keypoints1 are {len(places)}, and descriptors1 are {num_rows}; use one for each"
        )
    return places


def _passes_ratio(best: Tensor, second: Tensor, ratio: float, binary: bool) -> Bool[Tensor, " N"]:
    """Whether the nearest is clearly nearer than the second, which is -inf where there is none."""
    if binary:
        return -best < ratio * -second
    squared, squared_second = ((2 - 2 * score).clamp_min(0) for score in (best, second))
    return squared + ROUNDING < ratio**2 * squared_second


def _is_best_of_its_column(
    keep: Tensor, nearest1: Tensor, similarity: Tensor, num_columns: int
) -> Bool[Tensor, " N"]:
    """True for the first of the most similar rows among those kept that share a column."""
    order = similarity.masked_fill(~keep, -torch.inf).argsort(descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    best = rank.new_full((num_columns,), len(order)).scatter_reduce(0, nearest1, rank, "amin")
    return best[nearest1] == rank


def _check_length(name: str, table: Tensor) -> None:
    """Refuse rows of another length than 1, except those of 0: descriptors of flat patches."""
    length = torch.linalg.vector_norm(table.float(), dim=1)
    wrong = ((length - 1).abs() > 0.01) & (length > 0.01)
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise OptionError(
            f"{name} are not of unit length (row {row} has length {float(length[row]):g}); "
            "divide each row by its length"
        )
