"""Diagonal bands of products: those scores of a tile against its surroundings that lie in a window.

A tile is multiplied with all that any of its places can meet. Of these products each place wants
those from its own place on: a band along the diagonal.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Shaped
from torch import Tensor


def diagonal_band(
    products: Shaped[Tensor, "*outer P L"], tile: tuple[int, int], window: tuple[int, int]
) -> Shaped[Tensor, "*outer Ty Tx V U"]:
    """Entry `[..., ty, tx, i, j]` is the product of place (ty, tx) with (ty + i, tx + j).

    The result is a view of the products where strides may be chosen, and made of operations that
    every exchange format has while a program is exported.

    Args:
        products: the places of a tile, row by row, with those of its surroundings, row by row, of
            which there are `tile + window - 1` along each axis.
        tile: rows and columns of it.
        window: rows and columns of it.
    """
    if torch.compiler.is_exporting():
        return skewed_band(products, tile, window)
    products = products.contiguous()
    *outer, _, _ = products.shape
    *steps, place, column = products.stride()
    line = tile[1] + window[1] - 1
    return products.as_strided(
        (*outer, *tile, *window),
        (*steps, tile[1] * place + line, place + column, line, column),
    )


def skewed_band(
    products: Shaped[Tensor, "*outer P L"], tile: tuple[int, int], window: tuple[int, int]
) -> Shaped[Tensor, "*outer Ty Tx V U"]:
    """The same as `diagonal_band` by reshaping, padding and slicing only."""
    *outer, _, _ = products.shape
    height, width = (t + w - 1 for t, w in zip(tile, window, strict=True))
    end = len(outer)
    grid = products.reshape(*outer, *tile, height, width)
    across = _skew(grid.transpose(end + 1, end + 2), window[1])  # (..., Ty, height, Tx, U)
    down = _skew(across.movedim((end, end + 1), (-2, -1)), window[0])  # (..., Tx, U, Ty, V)
    return down.movedim((end, end + 1), (-3, -1))


def _skew(matrix: Shaped[Tensor, "*outer N M"], count: int) -> Shaped[Tensor, "*outer N K"]:
    """Entry `[..., n, k]` is the matrix's `[..., n, n + k]`.

    Rows that are one longer begin one later each time.
    """
    *outer, rows, columns = matrix.shape
    padded = F.pad(matrix.reshape(*outer, rows * columns), (0, rows))
    return padded.reshape(*outer, rows, columns + 1)[..., :count]
