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
    """(x, y) in cells, at most half a cell from the nearest one.

    The peak of the parabola through the similarities of the 3 x 3 cells around the nearest: in both
    directions together where it curves downwards in all of them, otherwise in each for itself.
    Beyond the border of the map nothing is known, so that the place of a cell there stays whole in
    the direction of the border.

    Args:
        descriptors: one for each row of `nearest`.
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
    height, width = cells.shape[:2]
    around = torch.tensor([-1, 0, 1], device=cells.device)
    x, y = nearest.unbind(1)
    columns = (x[:, None] + around).clamp(0, width - 1)
    rows = (y[:, None] + around).clamp(0, height - 1)
    read = cells[rows[:, :, None], columns[:, None, :]]
    near = torch.einsum("nd,nijd->nij", descriptors, read)
    slope_x = (near[:, 1, 2] - near[:, 1, 0]) / 2
    slope_y = (near[:, 2, 1] - near[:, 0, 1]) / 2
    bend_x = near[:, 1, 2] - 2 * near[:, 1, 1] + near[:, 1, 0]
    bend_y = near[:, 2, 1] - 2 * near[:, 1, 1] + near[:, 0, 1]
    twist = (near[:, 2, 2] - near[:, 2, 0] - near[:, 0, 2] + near[:, 0, 0]) / 4
    inside_x, inside_y = (x > 0) & (x < width - 1), (y > 0) & (y < height - 1)
    together = bend_x * bend_y - twist**2
    peaked = (bend_x < 0) & (bend_y < 0) & (together > 0) & inside_x & inside_y
    shift_x = torch.where(
        peaked,
        (twist * slope_y - bend_y * slope_x) / together,
        torch.where((bend_x < 0) & inside_x, -slope_x / bend_x, 0.0),
    )
    shift_y = torch.where(
        peaked,
        (twist * slope_x - bend_x * slope_y) / together,
        torch.where((bend_y < 0) & inside_y, -slope_y / bend_y, 0.0),
    )
    return torch.stack((shift_x, shift_y), dim=1).clamp(-0.5, 0.5)
