"""Scores of feature vectors within a window: inner products of two maps, shifted."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.errors import OptionError, ShapeError

TILE = 64
"""Pixels of a row that are scored by one matrix product, against `TILE + max_disparity - 1`."""


def correlate_rows(
    left: Float[Tensor, "C H W"], right: Float[Tensor, "C H W"], max_disparity: int
) -> Float[Tensor, "H W D"]:
    """The inner products of each left vector with the right ones `d` px to its left.

    A row is cut into tiles. The scores of a tile against all that it can meet are one matrix
    product, of which the wanted ones are a diagonal band.

    Args:
        left: features of the left view.
        right: features of the right view.
        max_disparity: disparities 0 to this minus 1.

    Returns:
        The scores; 0 where the match would lie outside the right view.

    Raises:
        ShapeError: the maps differ in size.
        OptionError: max_disparity is below 1.
    """
    if left.shape != right.shape:
        raise ShapeError(
            f"left features are {tuple(left.shape)} and right ones {tuple(right.shape)}; "
            "a pair has one size"
        )
    if max_disparity < 1:
        raise OptionError(f"max_disparity is {max_disparity}; use 1 or more")
    width, reach = left.shape[2], max_disparity - 1
    num_tiles = -(-width // TILE)
    missing = num_tiles * TILE - width
    tiles = F.pad(left, (0, missing)).reshape(*left.shape[:2], num_tiles, TILE)  # (C, H, N, T)
    windows = F.pad(right, (reach, missing)).unfold(2, TILE + reach, TILE)  # (C, H, N, T + reach)
    products = tiles.permute(1, 2, 3, 0) @ windows.permute(1, 2, 0, 3)  # (H, N, T, T + reach)
    products = products.contiguous()
    row, tile, pixel, column = products.stride()
    band = products.as_strided(
        (*products.shape[:3], max_disparity), (row, tile, pixel + column, column)
    )  # entry (t, e) is pixel t against column t + e, which lies reach - e to the left of it
    return torch.flip(band, (3,)).flatten(1, 2)[:, :width]
