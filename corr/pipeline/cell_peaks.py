"""Where between the cells of a map of descriptors a descriptor is most similar."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

STEPS = 10
"""Places from one cell to the next at which the similarity is computed."""

ROWS_AT_ONCE = 2048
"""Descriptors whose neighbourhoods are read at once, so that memory stays bounded."""

NO_GAIN = 1e-5
"""A similarity that rises by less than this from the cell itself does not move its place."""


def find_cell_peaks(
    descriptors: Float[Tensor, "N D"],
    cells: Float[Tensor, "Hs Ws D"],
    nearest: Int64[Tensor, "N 2"],
) -> Float[Tensor, "N 2"]:
    """(x, y) in cells, less than one from the nearest in x and in y.

    The place whose descriptor, read between four cells as `DenseDescription.read` does, is most
    similar: sought on a fine grid over the 3 x 3 cells around the nearest, then at the top of the
    parabolas through the best place of the grid and those beside it. A parabola through the
    similarities of the cells themselves knows nothing of how unlike those are to one another, and
    is drawn to the side where the image changes least.

    Args:
        descriptors: one for each row of `nearest`, of unit length like the cells.
        cells: of the other image.
        nearest: (x, y) of the most similar cell.
    """
    peaks = nearest.to(cells.dtype)
    for start in range(0, len(nearest), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        peaks[rows] += _top(_similarities(descriptors[rows], cells, nearest[rows]))
    return peaks


def _similarities(
    descriptors: Float[Tensor, "N D"],
    cells: Float[Tensor, "Hs Ws D"],
    nearest: Int64[Tensor, "N 2"],
) -> Float[Tensor, "N S S"]:
    """From one cell before the nearest to one after it, in y and in x; -inf beyond the map."""
    height, width = cells.shape[:2]
    around = torch.tensor([-1, 0, 1], device=cells.device)
    x, y = nearest.unbind(1)
    columns, rows = x[:, None] + around, y[:, None] + around
    read = cells[rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]]
    read = read.flatten(1, 2)
    places = torch.arange(-STEPS, STEPS + 1, device=cells.device) / STEPS
    hats = (1 - (places - around[:, None]).abs()).clamp_min(0)
    weights = torch.einsum("is,jt->ijst", hats, hats).reshape(9, -1).to(cells.dtype)
    pairs = (weights[:, None] * weights[None]).flatten(0, 1)
    # The length of what is read between cells follows from their products with one another.
    along = torch.einsum("nd,ncd->nc", descriptors, read) @ weights
    squared = torch.einsum("ncd,ned->nce", read, read).flatten(1) @ pairs
    number = len(places)
    similar = (along / squared.clamp_min(1e-6).sqrt()).view(-1, number, number)
    before, after = places < 0, places > 0
    no_x = (x == 0)[:, None] & before | (x == width - 1)[:, None] & after
    no_y = (y == 0)[:, None] & before | (y == height - 1)[:, None] & after
    return similar.masked_fill(no_y[:, :, None] | no_x[:, None, :], -torch.inf)


def _top(similar: Float[Tensor, "N S S"]) -> Float[Tensor, "N 2"]:
    """(x, y) in cells from the nearest cell, which is in the middle."""
    number = similar.shape[1]
    framed = F.pad(similar, (1, 1, 1, 1), value=-torch.inf)
    best, index = similar.flatten(1).max(1)
    row, column = index // number + 1, index % number + 1
    n = torch.arange(len(similar), device=similar.device)
    shift = torch.stack(
        (
            column
            - 1
            - STEPS
            + _parabola(framed[n, row, column - 1], best, framed[n, row, column + 1]),
            row
            - 1
            - STEPS
            + _parabola(framed[n, row - 1, column], best, framed[n, row + 1, column]),
        ),
        dim=1,
    )
    gains = best - similar[:, STEPS, STEPS] > NO_GAIN
    return torch.where(gains[:, None], shift / STEPS, 0.0)


def _parabola(
    before: Float[Tensor, " N"], top: Float[Tensor, " N"], after: Float[Tensor, " N"]
) -> Float[Tensor, " N"]:
    """How far beyond the middle of three values their parabola is highest, in their spacing."""
    bend = before - 2 * top + after
    shift = (before - after) / (2 * bend)
    return torch.where(bend.isfinite() & (bend < 0), shift.clamp(-0.5, 0.5), 0.0)
