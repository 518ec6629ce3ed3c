"""Where between the cells of a map of descriptors a descriptor is most similar."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

ROWS_AT_ONCE = 4096
"""Descriptors whose neighbourhoods are read at once, so that memory stays bounded."""


def find_cell_peaks(
    descriptors: Float[Tensor, "N D"],
    cells: Float[Tensor, "Hs Ws D"],
    nearest: Int64[Tensor, "N 2"],
) -> Float[Tensor, "N 2"]:
    """(x, y) in cells, less than one from the nearest in x and in y.

    Between a cell and its neighbours in x and in y the map is taken to be linear, as it is where
    descriptors are read between cells. Of the four such pairs of neighbours the one counts whose
    plane comes closest to the descriptor, and the place on it that does. A parabola through the
    similarities knows nothing of how unlike the cells are among themselves, and so is drawn to the
    side where the image changes least.

    Args:
        descriptors: one for each row of `nearest`, of unit length like the cells.
        cells: of the other image.
        nearest: (x, y) of the most similar cell.
    """
    peaks = nearest.to(cells.dtype)
    for start in range(0, len(nearest), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        peaks[rows] += _shift(descriptors[rows], cells, nearest[rows])
    return peaks


def _shift(
    descriptors: Float[Tensor, "N D"],
    cells: Float[Tensor, "Hs Ws D"],
    nearest: Int64[Tensor, "N 2"],
) -> Float[Tensor, "N 2"]:
    x, y = nearest.unbind(1)
    middle = cells[y, x]
    wanted = descriptors - middle
    best = torch.zeros_like(wanted[:, 0])
    shift = torch.zeros_like(wanted[:, :2])
    for right in (-1, 1):
        beside, along_x = _difference(cells, x + right, y, middle)
        slope_x, bend_x = (along_x * wanted).sum(1), along_x.square().sum(1)
        for down in (-1, 1):
            below, along_y = _difference(cells, x, y + down, middle)
            slope_y, bend_y = (along_y * wanted).sum(1), along_y.square().sum(1)
            twist = (along_x * along_y).sum(1)
            area = (bend_x * bend_y - twist**2).clamp_min(0)
            solid = beside & below & (area > 1e-4 * bend_x * bend_y)
            free_x = torch.where(
                solid,
                (bend_y * slope_x - twist * slope_y) / area.clamp_min(1e-12),
                slope_x / bend_x.clamp_min(1e-12),
            ).clamp(0, 1)
            # What x leaves to y once x keeps to its side, and the other way round.
            move_y = ((slope_y - twist * free_x) / bend_y.clamp_min(1e-12)).clamp(0, 1)
            move_x = ((slope_x - twist * move_y) / bend_x.clamp_min(1e-12)).clamp(0, 1)
            gain = (
                2 * (slope_x * move_x + slope_y * move_y)
                - (bend_x * move_x**2 + bend_y * move_y**2)
                - 2 * twist * move_x * move_y
            )
            better = gain > best
            best = torch.where(better, gain, best)
            moved = torch.stack((right * move_x, down * move_y), dim=1)
            shift = torch.where(better[:, None], moved, shift)
    return shift


def _difference(
    cells: Float[Tensor, "Hs Ws D"],
    x: Int64[Tensor, " N"],
    y: Int64[Tensor, " N"],
    middle: Float[Tensor, "N D"],
) -> tuple[Tensor, Tensor]:
    """Whether there is a cell at (x, y), and how it differs from the middle; 0 where there is none.

    Returns:
        Bool (N,) and float (N, D).
    """
    height, width = cells.shape[:2]
    there = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    read = cells[y.clamp(0, height - 1), x.clamp(0, width - 1)]
    return there, torch.where(there[:, None], read - middle, 0.0)
