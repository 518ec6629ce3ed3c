"""Where each pixel of a view is in the other one, and whether it is seen there.

Nothing is searched: the visible layer's point goes to the other view through the layer's own
coordinates. It is hidden there if it leaves the picture or if a nearer layer's shape, evaluated at
the very point, covers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from corr.data.synthetic.layers import Layers, columns
from corr.data.synthetic.maps import to_view
from corr.data.synthetic.raster import REACH, Raster, distance_at

FARTHEST = 1e5
"""px; what goes farther is at the horizon, and its place is not known."""


MIXED_PX = 0.75
"""With an edge so near to its centre, a pixel may show two layers in part: half of its side, with
room for distances that are right to first order only."""

SURE_PX = REACH
"""A pixel so far from every edge shows one layer wherever in it a point lies, with room for
distances that are right to first order only."""


class Correspondence(NamedTuple):
    """Of each pixel of a view, in the other view."""

    flow: Float[Tensor, "B 2 H W"]
    """px; 0 where not known."""
    occluded: Bool[Tensor, "B H W"]
    """True where the other view does not show the point."""
    valid: Bool[Tensor, "B H W"]
    """True where the flow is known."""
    edge: Bool[Tensor, "B H W"]
    """True where the colour here or there is a mixture of layers; see `samples.Pair`."""
    layer: Int64[Tensor, "B H W"]
    """Rank of the layer: 0 is the background."""


def correspond(
    layers: Layers, rasters: Sequence[Raster], view: int, *, flat: bool = False
) -> Correspondence:
    """The correspondence of a view's pixels with the other view.

    Args:
        layers: all of them.
        rasters: of both views.
        view: which one.
        flat: all layers move alike, so that none comes to hide what another shows.
    """
    height, width = layers.size
    other, shown, top = 1 - view, rasters[view].fragments, rasters[view].top
    layer, u, v, pixel = (
        part.index_select(0, top) for part in (shown.layer, shown.u, shown.v, shown.pixel)
    )
    there = torch.empty(2, len(u), device=layers.device)
    for index, own, bent in layers.by_map(layer, other):
        table = columns(layers.maps[other], own)
        there[0, index], there[1, index] = to_view(table, u[index], v[index], warped=bool(bent))
    x, y = (torch.empty_like(part).scatter_(0, pixel, part) for part in there)
    known = (x.abs() < FARTHEST) & (y.abs() < FARTHEST)
    if flat:
        hidden = ~_within(x, y, layers.size)
    else:
        hidden = _hidden(layers, rasters[other], other, (x, y, rasters[view].layer))
    place = torch.arange(len(x), device=layers.device)
    line = torch.div(place, width, rounding_mode="floor")
    flow = torch.stack((x - (place - line * width), y - line % height), 1)
    flow = torch.where(known[:, None], flow, 0.0)
    mixed = rasters[view].clearance < MIXED_PX
    mixed |= ~hidden & (_alone(layers, rasters[other], x, y) != rasters[view].layer)
    shape = (layers.num_scenes, height, width)
    return Correspondence(
        flow.reshape(*shape, 2).permute(0, 3, 1, 2).contiguous(),
        (hidden & known).reshape(shape),
        known.reshape(shape),
        mixed.reshape(shape),
        layers.rank[rasters[view].layer].reshape(shape),
    )


def _hidden(
    layers: Layers, raster: Raster, view: int, points: tuple[Tensor, Tensor, Tensor]
) -> Bool[Tensor, " P"]:
    """Whether points of a view are outside of it or behind a nearer layer.

    Args:
        layers: all of them.
        raster: of that view.
        view: which one.
        points: (x, y), px, and layer, of all pixels of the other view.
    """
    height, width = layers.size
    x, y, layer = points
    hidden = ~_within(x, y, layers.size)
    column, line = x.round().clamp(0, width - 1).long(), y.round().clamp(0, height - 1).long()
    nearest = (layers.scene.index_select(0, layer) * height + line) * width + column
    # Far from every edge, a point shows what the nearest pixel does; else its layers are asked.
    hidden |= raster.layer.index_select(0, nearest) != layer
    near_edge = raster.clearance.index_select(0, nearest) < SURE_PX
    unsure = near_edge & _within(x, y, layers.size)
    chosen = unsure.nonzero()[:, 0]
    hidden[chosen] = _covered(layers, view, (x[chosen], y[chosen], layer[chosen]))
    return hidden


def _alone(
    layers: Layers, raster: Raster, x: Float[Tensor, " P"], y: Float[Tensor, " P"]
) -> Int64[Tensor, " P"]:
    """The layer that all four pixels around each point show, and nothing else; -1 if several."""
    height, width = layers.size
    layer = torch.where(raster.clearance < MIXED_PX, -1, raster.layer)
    layer = layer.reshape(layers.num_scenes, height, width)
    for axis, side in ((1, height), (2, width)):
        first, second = layer.narrow(axis, 0, side - 1), layer.narrow(axis, 1, side - 1)
        layer = torch.where(first == second, first, -1)
    column, line = x.floor().clamp(0, width - 2).long(), y.floor().clamp(0, height - 2).long()
    line = line + (height - 1) * layers.scene.index_select(0, raster.layer)
    return layer.reshape(-1).index_select(0, line * (width - 1) + column)


def _within(x: Tensor, y: Tensor, size: tuple[int, int]) -> Tensor:
    """Whether points are in a picture; its pixels are squares about their centres."""
    height, width = size
    return (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)


def _covered(
    layers: Layers, view: int, points: tuple[Tensor, Tensor, Tensor]
) -> Bool[Tensor, " N"]:
    """Whether the shape of a nearer layer, at the very point, covers it."""
    x, y, layer = points
    rank, scene = layers.rank[layer], layers.scene[layer]
    covered = torch.zeros_like(layer, dtype=torch.bool)
    for level in range(1, len(layers.ranks)):
        row: Tensor | int
        behind = (rank < level) & ~covered
        if layers.num_scenes == 1:
            row = level
            left, right, top, bottom = layers.box_ends[view, level].tolist()
        else:
            row = layers.row[level][scene]
            left, right, top, bottom = layers.boxes[view][row].unbind(1)
            behind &= layers.rank[row] == level
        near = (x >= left - 1) & (x <= right) & (y >= top - 1) & (y <= bottom)
        which = (near & behind).nonzero()[:, 0]
        if len(which):
            own = row if isinstance(row, int) else row[which]
            distance = distance_at(layers, view, own, x[which], y[which])
            covered[which[distance <= 0]] = True
    return covered
