"""From the most similar cell of a map to a place between cells."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

ReadOut = Literal["nearest", "soft"]
SOFT_PX = 24.0
"""How far around the most similar cell the mean is taken, px."""
TEMPERATURE = 0.05
"""Of the mean: a cell whose cosine is lower by this weighs 1/e."""
_AT_ONCE = 1 << 24
"""Numbers of descriptors that are gathered at once."""
_FLAT = 1e-6
"""Parabolas flatter than this have no top worth to be sought."""


def read_out(
    queries: Float[Tensor, "N D"],
    cells: Float[Tensor, "Hs Ws D"],
    best: Int[Tensor, " N"],
    how: ReadOut,
    stride: int,
) -> Float[Tensor, "N 2"]:
    """Places (column, row) between cells.

    Args:
        queries: unit-length descriptors that are sought.
        cells: the map that they were sought in.
        best: the cell of each that is most similar, counted row by row.
        how: `nearest`, the top of the parabolas through the best cell and its neighbours; `soft`,
            the mean of the cells within `SOFT_PX`, weighted by similarity.
        stride: px from one cell to the next.
    """
    reach = 1 if how == "nearest" else max(1, round(SOFT_PX / stride))
    side = 2 * reach + 1
    rows = max(1, _AT_ONCE // (side * side * cells.shape[2]))
    parts = zip(torch.split(queries, rows), torch.split(best, rows), strict=True)
    read = _parabola if how == "nearest" else _mean
    return torch.cat([read(part, cells, index, reach) for part, index in parts])


def _around(
    queries: Float[Tensor, "N D"], cells: Float[Tensor, "Hs Ws D"], best: Tensor, reach: int
) -> tuple[Float[Tensor, "N S S"], Float[Tensor, "N 2"]]:
    """Similarity of the cells around the best ones, -inf beyond the map, and the best ones."""
    height, width, _ = cells.shape
    offsets = torch.arange(-reach, reach + 1, device=cells.device)
    row, column = best // width, best % width
    y, x = row[:, None] + offsets, column[:, None] + offsets
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    gathered = cells[y.clamp(0, height - 1)[:, :, None], x.clamp(0, width - 1)[:, None, :]]
    scores = torch.einsum("nijd,nd->nij", gathered, queries)
    return scores.masked_fill(~inside, -torch.inf), torch.stack((column, row), -1).to(cells.dtype)


def _mean(
    queries: Float[Tensor, "N D"], cells: Float[Tensor, "Hs Ws D"], best: Tensor, reach: int
) -> Float[Tensor, "N 2"]:
    scores, centre = _around(queries, cells, best, reach)
    weights = (scores / TEMPERATURE).flatten(1).softmax(1).view_as(scores)
    offsets = torch.arange(-reach, reach + 1, device=cells.device, dtype=cells.dtype)
    return centre + torch.stack((weights.sum(1) @ offsets, weights.sum(2) @ offsets), -1)


def _parabola(
    queries: Float[Tensor, "N D"], cells: Float[Tensor, "Hs Ws D"], best: Tensor, reach: int
) -> Float[Tensor, "N 2"]:
    scores, centre = _around(queries, cells, best, reach)
    across, down = scores[:, 1, :], scores[:, :, 1]
    return centre + torch.stack((_top(across), _top(down)), -1)


def _top(scores: Float[Tensor, "N 3"]) -> Float[Tensor, " N"]:
    """Of the parabola through three scores, from the middle one; 0 at the rim of the map."""
    before, middle, after = scores.unbind(1)
    bend = before - 2 * middle + after
    usable = bend.isfinite() & (bend < -_FLAT)
    top = 0.5 * (before - after) / bend
    return torch.where(usable, top, 0).clamp(-0.5, 0.5)
