"""Tiles on a CPU: scored by a matrix product or by counting bits, folded by compiled loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from corr.search.fold import fold, score_hamming
from corr.search.neighbors import Best

TILE = (512, 1024)
"""Rows and columns of a tile: its 2 MB stay in the cache between product and fold."""

Scorer = Callable[[slice, slice, Tensor], None]


def search_products(rows: Tensor, columns: Tensor, counts: tuple[int, int]) -> tuple[Best, Best]:
    """The best inner products.

    Args:
        rows: (N, D) float32.
        columns: (M, D) float32.
        counts: how many to keep of each row and of each column; 0 keeps none.
    """

    def score(row: slice, column: slice, tile: Tensor) -> None:
        torch.mm(rows[row], columns[column].T, out=tile)

    return _search(score, (len(rows), len(columns)), counts)


def search_bits(rows: Tensor, columns: Tensor, counts: tuple[int, int]) -> tuple[Best, Best]:
    """The fewest differing bits, as negative scores; the rows are uint8, otherwise as above."""
    words0, words1 = _words(rows), _words(columns)

    def score(row: slice, column: slice, tile: Tensor) -> None:
        score_hamming(words0[row], np.ascontiguousarray(words1[column].T), tile.numpy())

    return _search(score, (len(rows), len(columns)), counts)


def _search(score: Scorer, sizes: tuple[int, int], counts: tuple[int, int]) -> tuple[Best, Best]:
    best0, best1 = (Best.nothing(n, k) for n, k in zip(sizes, counts, strict=True))
    scores0, index0 = best0.scores.numpy(), best0.index.numpy()
    scores1, index1 = best1.scores.numpy(), best1.index.numpy()
    worst1 = np.full(sizes[1], -np.inf if counts[1] else np.inf, np.float32)
    height, width = (min(size, most) for size, most in zip(sizes, TILE, strict=True))
    buffer = torch.empty(height * width)
    for top in range(0, sizes[0], height):
        row = slice(top, min(top + height, sizes[0]))
        for left in range(0, sizes[1], width):
            column = slice(left, min(left + width, sizes[1]))
            shape = row.stop - top, column.stop - left
            tile = buffer[: shape[0] * shape[1]].view(shape)
            score(row, column, tile)
            fold(
                tile.numpy(),
                scores0[row],
                index0[row],
                scores1[column],
                index1[column],
                worst1[column],
                top,
                left,
            )
    return best0, best1


def _words(packed: Tensor) -> np.ndarray:
    """Rows of bytes as rows of 64-bit words; the bytes that fill the last word are zero."""
    rows = packed.numpy()
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8))).view(np.uint64)
