"""Scores of feature vectors within a window: inner products of two maps, shifted.

One computation serves rows of a rectified pair (`correlate_rows`) and the correlation layer of
FlowNetC (`correlation_layer`): the maps are cut into tiles, the scores of a tile against all that
it can meet are one matrix product, and the wanted ones are a diagonal band of that product.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.volume.band import diagonal_band

ROW_TILE, WINDOW_TILE = 64, 8
"""Side of a tile, px: along a row, and of the square tiles of a window with two axes. A product has
`tile + displacements - 1` columns, of which `displacements` are wanted; larger tiles waste more and
copy less."""


def correlate(
    first: Float[Tensor, "B C H W"],
    second: Float[Tensor, "B C H W"],
    rows: range,
    columns: range,
) -> Float[Tensor, "B H W V U"]:
    """The inner product of each vector of one map with those of the other within a window.

    Entry `[b, y, x, i, j]` is the product of `first[b, :, y, x]` with
    `second[b, :, y + rows[i], x + columns[j]]`, and 0 where that lies outside the map. Steps other
    than 1 leave displacements out (a dilated window) and cost no more than those that are left.

    Args:
        first: features, of float32 or what the machine multiplies faster, such as bfloat16.
        second: features of the other image, of the same size and type.
        rows: vertical displacements, px.
        columns: horizontal displacements, px.

    Returns:
        The scores, of the features' type; gradients flow to both maps.

    Raises:
        ShapeError: the maps differ in size, or have no pixels.
        OptionError: a window without displacements.

    Source: the layer is that of Dosovitskiy 2015, "FlowNet: Learning optical flow with
    convolutional networks", equation 1, for single pixels and without its normalisation.
    """
    if first.shape != second.shape or 0 in first.shape:
        raise ShapeError(
            f"features of {tuple(first.shape)} and {tuple(second.shape)} were given; a pair has "
            "one size, and at least one pixel"
        )
    if not rows or not columns:
        raise OptionError(f"the window is {rows} by {columns}; use one displacement or more")
    height, width = first.shape[2:]
    vertical, horizontal = _Axis(height, rows), _Axis(width, columns)
    if len(rows) == 1:
        vertical.tile, horizontal.tile = 1, ROW_TILE
    # Vectors stay in one piece through all copies.
    tiles = vertical.tiles(first.permute(0, 2, 3, 1).contiguous(), 1)  # (B, Ny, Ty, sy, W, C)
    tiles = horizontal.tiles(tiles, 4)  # (B, Ny, Ty, sy, Nx, Tx, sx, C)
    met = vertical.surroundings(second.permute(0, 2, 3, 1).contiguous(), 1)
    met = horizontal.surroundings(met, 3)  # (B, H, sy, W, sx, C)
    windows = horizontal.windows(met.permute(0, 2, 4, 1, 3, 5), 4)  # (B, Nx, sy, sx, H, ...)
    windows = vertical.windows(windows, 4)  # (B, Ny, Nx, sy, sx, Ty + V - 1, Tx + U - 1, C)
    tiles = tiles.permute(0, 1, 4, 3, 6, 2, 5, 7)  # (B, Ny, Nx, sy, sx, Ty, Tx, C)
    products = tiles.flatten(5, 6) @ windows.flatten(5, 6).transpose(5, 6)
    band = diagonal_band(
        products, (vertical.tile, horizontal.tile), (len(rows), len(columns))
    )  # (B, Ny, Nx, sy, sx, Ty, Tx, V, U)
    flipped = [axis for axis, moves in ((7, rows), (8, columns)) if moves.step < 0]
    band = torch.flip(band, flipped) if flipped else band
    scores = band.permute(0, 1, 5, 3, 2, 6, 4, 7, 8).flatten(4, 6).flatten(1, 3)
    return scores[:, :height, :width]


def correlate_rows(
    left: Float[Tensor, "C H W"], right: Float[Tensor, "C H W"], max_disparity: int
) -> Float[Tensor, "H W D"]:
    """The inner products of each left vector with the right ones `d` px to its left.

    `right_view` of the result holds those of each right vector.

    Args:
        left: features of the left view.
        right: features of the right view.
        max_disparity: disparities 0 to this minus 1.

    Returns:
        The scores; 0 where the match would lie outside the right view.

    Raises:
        ShapeError: the maps differ in size, or have no pixels.
        OptionError: max_disparity is below 1.
    """
    if max_disparity < 1:
        raise OptionError(f"max_disparity is {max_disparity}; use 1 or more")
    scores = correlate(left[None], right[None], range(1), range(0, -max_disparity, -1))
    return scores[0, :, :, 0]


def right_view(
    volume: Shaped[Tensor, "H W D"], outside: int | float = 0
) -> Shaped[Tensor, "H W D"]:
    """The volume of the right view: entry `[y, x, d]` is the left one's `[y, x + d, d]`.

    Both are the score of the same two pixels, so nothing is computed again; the result is a view
    of one padded copy.

    Args:
        volume: of the left view, whose pixel x meets the right pixel x - d.
        outside: the score where x + d lies outside the left view.
    """
    depth = volume.shape[2]
    padded = F.pad(volume, (0, 0, 0, depth - 1), value=outside).contiguous()
    row, pixel, disparity = padded.stride()
    return padded.as_strided(volume.shape, (row, pixel, pixel + disparity))


def correlation_layer(
    first: Float[Tensor, "B C H W"],
    second: Float[Tensor, "B C H W"],
    max_displacement: int = 20,
    *,
    dilation: int = 2,
    kernel_size: int = 1,
    stride: int = 1,
) -> Float[Tensor, "B N Hs Ws"]:
    """FlowNetC's layer: mean products within a square window, one channel for each displacement.

    Channels go row by row from the top left of the window; 441 of them with the default values.

    Args:
        first: features.
        second: features of the other image.
        max_displacement: largest displacement in x and in y, px.
        dilation: only each so many-th displacement (the published `stride_2`).
        kernel_size: side of the patches that are compared, odd, px; zeros surround the maps.
        stride: only each so many-th pixel of the first map (the published `stride_1`).

    Raises:
        ShapeError: the maps differ in size, or have no pixels.
        OptionError: a negative displacement, or a number below 1, or an even kernel.

    Source: Dosovitskiy 2015, "FlowNet: Learning optical flow with convolutional networks",
    equation 1; divided by the number of products, as its published code does.
    """
    if max_displacement < 0 or min(dilation, stride) < 1 or kernel_size < 1 or kernel_size % 2 == 0:
        raise OptionError(
            f"max_displacement is {max_displacement}, dilation {dilation}, kernel_size "
            f"{kernel_size} and stride {stride}; use 0 or more, 1 or more, an odd number, 1 or more"
        )
    reach = max_displacement // dilation * dilation
    moves = range(-reach, reach + 1, dilation)
    scores = correlate(first, second, moves, moves).flatten(3).permute(0, 3, 1, 2)
    if kernel_size > 1:
        scores = F.avg_pool2d(scores, kernel_size, 1, kernel_size // 2)
    return scores[..., ::stride, ::stride] / first.shape[1]


class _Axis:
    """How one axis is cut: into phases of its step, and those into tiles.

    Pixels that a dilated window joins are of one phase; within it the window has no gaps.
    """

    def __init__(self, size: int, moves: range) -> None:
        self.step = abs(moves.step)
        self.start = min(moves[0], moves[-1])
        self.count = len(moves)
        self.size = size
        self.tile = WINDOW_TILE

    @property
    def num_tiles(self) -> int:
        """Tiles that cover a phase."""
        return -(-self.size // (self.tile * self.step))

    def tiles(self, features: Tensor, axis: int) -> Tensor:
        """The axis as tile, place in the tile, phase."""
        length = self.num_tiles * self.tile * self.step
        padded = _pad(features, axis, 0, length - self.size)
        return _split(padded, axis, self.num_tiles, self.tile, self.step)

    def surroundings(self, features: Tensor, axis: int) -> Tensor:
        """The axis as place and phase, from the first that is met to the last tile's last."""
        length = (self.num_tiles * self.tile + self.count - 1) * self.step
        padded = _pad(features, axis, -self.start, length + self.start - self.size)
        return _split(padded, axis, -1, self.step)

    def windows(self, surroundings: Tensor, axis: int) -> Tensor:
        """The places as what a tile can meet, tiles as the second axis.

        Where these overlap they are views, but copies where gradients are asked for, which for
        overlapping views take far longer, and for exchange formats.
        """
        if self.count == 1:
            return _split(surroundings, axis, self.num_tiles, self.tile).movedim(axis, 1)
        starts = range(0, self.num_tiles * self.tile, self.tile)
        length = self.tile + self.count - 1
        if not (surroundings.requires_grad or torch.compiler.is_exporting()):
            views = surroundings.unfold(axis, length, self.tile)
            return views.movedim((axis, -1), (1, axis + 1))
        return torch.stack([surroundings.narrow(axis, start, length) for start in starts], 1)


def _split(features: Tensor, axis: int, *sizes: int) -> Tensor:
    """One axis as several."""
    return features.reshape(*features.shape[:axis], *sizes, *features.shape[axis + 1 :])


def _pad(features: Tensor, axis: int, before: int, after: int) -> Tensor:
    """Zeros at either end of an axis; a negative number takes away."""
    if features.shape[axis] + min(before, 0) + min(after, 0) <= 0:
        shape = list(features.shape)
        shape[axis] += before + after
        return features.new_zeros(shape)
    return F.pad(features, [0, 0] * (features.ndim - 1 - axis) + [before, after])
