"""Where each pixel of a view is in the other one, and whether it is seen there.

Nothing is searched: the visible layer's point goes to the other view through the layer's own
coordinates. It is hidden there if it leaves the picture or if a nearer layer's shape, evaluated at
the very point, covers it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from corr.data.synthetic.layers import Layers, columns
from corr.data.synthetic.maps import to_view
from corr.data.synthetic.raster import Raster, distance_at

FARTHEST = 1e5
"""px; what goes farther is at the horizon, and its place is not known."""


PURE = 0.8
"""Share of a pixel that one surface takes; with less, at an edge, its colour is that of no point.

Which point it should be found at is a matter of taste then, and no warp brings its colour back.
"""

_NOWHERE = 1 << 30
"""Rank that no layer is in front of."""


class Correspondence(NamedTuple):
    """Of each pixel of a view, in the other view."""

    flow: Float[Tensor, "B 2 H W"]
    """px; 0 where not known."""
    occluded: Bool[Tensor, "B H W"]
    """True where the other view does not show the point."""
    valid: Bool[Tensor, "B H W"]
    """True where the flow is known and the pixel shows one surface, see `PURE`."""
    layer: Int64[Tensor, "B H W"]
    """Rank of the layer: 0 is the background."""


def correspond(layers: Layers, raster: Raster, view: int) -> Correspondence:
    """The correspondence of a view's pixels with the other view."""
    height, width = layers.size
    other = 1 - view
    x, y, weight = torch.empty((3, layers.num_scenes * height * width), device=layers.device)
    for tops in raster.tops:
        weight[tops.pixel] = tops.weight
        for index, own, bent in layers.by_map(tops.layer, other):
            table = columns(layers.maps[other], own)
            found = to_view(table, tops.u[index], tops.v[index], warped=bool(bent))
            x[tops.pixel[index]], y[tops.pixel[index]] = found
    known = (x.abs() < FARTHEST) & (y.abs() < FARTHEST)
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    rank = layers.rank[raster.layer]
    hidden = ~inside | _covered(layers, other, (x, y), torch.where(inside, rank, _NOWHERE))
    pixel = torch.arange(height * width, device=x.device).repeat(layers.num_scenes)
    line = torch.div(pixel, width, rounding_mode="floor")
    flow = torch.stack((x - (pixel - line * width), y - line), 1)
    flow = torch.where(known[:, None], flow, 0.0)
    shape = (layers.num_scenes, height, width)
    return Correspondence(
        flow.reshape(*shape, 2).permute(0, 3, 1, 2).contiguous(),
        (hidden & known).reshape(shape),
        (known & (weight >= PURE)).reshape(shape),
        rank.reshape(shape),
    )


def _covered(
    layers: Layers, view: int, points: tuple[Tensor, Tensor], rank: Tensor
) -> Bool[Tensor, " P"]:
    """Whether a layer nearer than `rank` covers a point of a view, of one scene after another."""
    covered = torch.zeros_like(rank, dtype=torch.bool)
    by_scene = [values.reshape(layers.num_scenes, -1) for values in (*points, rank.float())]
    for level in range(1, len(layers.ranks)):
        rows = layers.ranks[level]
        scenes = layers.scene[rows]
        x, y, own = by_scene if layers.num_scenes == 1 else (part[scenes] for part in by_scene)
        left, right, top, bottom = layers.boxes[view, rows].float()[..., None].unbind(1)
        near = (own < level) & (x >= left - 1) & (x <= right) & (y >= top - 1) & (y <= bottom)
        which, place = near.nonzero(as_tuple=True)
        if len(which) == 0:
            continue
        one = rows.stop - rows.start == 1
        layer = rows.start if one else which + rows.start
        distance = distance_at(layers, view, layer, x[which, place], y[which, place])
        point = scenes[which] * x.shape[1] + place
        covered[point[distance <= 0]] = True
    return covered
