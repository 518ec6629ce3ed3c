"""Tiles by torch alone, for any device: what a CUDA tensor is searched by."""

from __future__ import annotations

import torch
from torch import Tensor

from corr.search.neighbors import Best

TILE = (4096, 4096)
"""Rows and columns of a tile: 64 MB of scores."""


def search_products(rows: Tensor, columns: Tensor, counts: tuple[int, int]) -> tuple[Best, Best]:
    """The best inner products.

    They are float32 products: where TF32 is switched on in torch, they carry its rounding.

    Args:
        rows: (N, D) float32.
        columns: (M, D) float32, on the same device.
        counts: how many to keep of each row and of each column; 0 keeps none.
    """
    sizes = len(rows), len(columns)
    best0, best1 = (Best.nothing(n, k, rows.device) for n, k in zip(sizes, counts, strict=True))
    for top in range(0, sizes[0], TILE[0]):
        row = slice(top, min(top + TILE[0], sizes[0]))
        for left in range(0, sizes[1], TILE[1]):
            column = slice(left, min(left + TILE[1], sizes[1]))
            tile = rows[row] @ columns[column].T
            _merge(best0, row, tile, left)
            if counts[1]:
                _merge(best1, column, tile.T, top)
    return best0, best1


def _merge(best: Best, part: slice, tile: Tensor, first: int) -> None:
    """Take a tile's best into those of its rows; earlier ones come first where scores are equal."""
    k = best.scores.shape[1]
    scores, index = _first_best(tile, min(k, tile.shape[1]))
    scores = torch.cat((best.scores[part], scores), 1)
    index = torch.cat((best.index[part], index + first), 1)
    best.scores[part], order = _first_best(scores, k)
    best.index[part] = index.gather(1, order)


def _first_best(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k best of each row, the first of equals first, as `torch.topk` does not promise."""
    values, places = [], []
    for _ in range(k):
        value, place = scores.max(1, keepdim=True)  # of equals, max gives the first
        scores.scatter_(1, place, -torch.inf)
        values.append(value)
        places.append(place)
    found = torch.cat(values, 1), torch.cat(places, 1)
    scores.scatter_(1, found[1], found[0])
    return found
