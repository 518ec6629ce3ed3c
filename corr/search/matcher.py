"""Which descriptors of two images belong together: mutual neighbours, ratio test, threshold."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, Int64, Shaped
from torch import Tensor

from corr.errors import OptionError
from corr.search.checks import check_backend
from corr.search.interface import nearest

ROUNDING = 1e-6
"""Squared distances of unit vectors closer than this are equal: float32 products are no finer."""


@torch.no_grad()
def match_descriptors(
    descriptors0: Shaped[np.ndarray | Tensor, "N _"],
    descriptors1: Shaped[np.ndarray | Tensor, "M _"],
    *,
    mutual: bool = True,
    ratio: float | None = None,
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
        ratio: keep a pair only where its distance is below this share of the distance to the
            second nearest of `descriptors1`; at most 1. Source: Lowe 2004, section 7.1.
        min_score: keep a pair only where its similarity is at least this.
        backend: who searches, as in `nearest`.
        device: where to search; where the descriptors are when not given.

    Raises:
        OptionError: an option outside what is accepted, or rows that are not of unit length.
        ShapeError: rows of different length.
        MissingExtraError: faiss was asked for and is not installed.
    """
    check_options(ratio, min_score, backend)
    table0, table1 = _as_tensor(descriptors0, device), _as_tensor(descriptors1, device)
    binary = table0.dtype == torch.uint8
    found = nearest(
        table0,
        table1,
        1 if ratio is None else 2,
        metric="hamming" if binary else "dot",
        both_ways=mutual,
        backend=backend,
    )
    if not binary:
        _check_length("descriptors0", table0)
        _check_length("descriptors1", table1)
    if not found.scores.numel():
        return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    nearest1, scores = found.index[:, 0], found.scores
    index0 = torch.arange(len(table0), device=table0.device)
    keep = torch.ones_like(index0, dtype=torch.bool)
    if found.reverse is not None:
        keep &= found.reverse.index[nearest1, 0] == index0
    if ratio is not None and scores.shape[1] > 1:
        keep &= _passes_ratio(scores, ratio, binary)
    similarity = 1 + scores[:, 0] / (8 * table0.shape[1]) if binary else scores[:, 0]
    if min_score is not None:
        keep &= similarity >= min_score
    pairs = torch.stack((index0, nearest1), 1)[keep]
    return pairs.cpu().numpy(), similarity[keep].cpu().numpy()


def check_options(ratio: float | None, min_score: float | None, backend: str) -> None:
    """Refuse options of `match_descriptors` outside what is accepted.

    Raises:
        OptionError: says what is accepted.
    """
    if ratio is not None and not 0 < ratio <= 1:
        raise OptionError(f"ratio is {ratio}; use a value in (0, 1]")
    if min_score is not None and not -1 <= min_score <= 1:
        raise OptionError(f"min_score is {min_score}; use a value in [-1, 1]")
    check_backend(backend)


def _as_tensor(table: np.ndarray | Tensor, device: str | torch.device | None) -> Tensor:
    if isinstance(table, np.ndarray):
        table = torch.from_numpy(table if table.flags.writeable else table.copy())
    return table if device is None else table.to(device)


def _passes_ratio(scores: Tensor, ratio: float, binary: bool) -> Tensor:
    if binary:
        distances = -scores
        return distances[:, 0] < ratio * distances[:, 1]
    squared = (2 - 2 * scores).clamp_min(0)
    return squared[:, 0] + ROUNDING < ratio**2 * squared[:, 1]


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
