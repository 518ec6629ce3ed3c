"""Which layers each pixel of a view shows, by how much, and where on the layer.

Layers are visited from near to far; what is hidden already is left out, so the cost hardly grows
with their number. A pixel is mapped back to each layer's own coordinates, where shape and texture
are functions: nothing is drawn that is warped afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from corr.data.synthetic.layers import Layers, columns
from corr.data.synthetic.maps import to_layer
from corr.data.synthetic.shapes import signed_distance

REACH = 1.0
"""px; what is farther outside of a layer does not know of it."""


class Fragments(NamedTuple):
    """Pieces of layers that a view shows, several for a pixel at an edge."""

    pixel: Int64[Tensor, " N"]
    """Counted through all pictures, row by row."""
    layer: Int64[Tensor, " N"]
    u: Float[Tensor, " N"]
    v: Float[Tensor, " N"]
    distance: Float[Tensor, " N"]
    """To the edge, negative inside, px of the layer."""
    length: Float[Tensor, " N"]
    """Of a pixel of the view, px of the layer."""
    weight: Float[Tensor, " N"]
    """Share of the pixel."""


class Raster(NamedTuple):
    """A view before it has colours."""

    fragments: Fragments
    top: Int64[Tensor, " P"]
    """Which fragments are at the centres of pixels, in no order; one for each pixel."""
    layer: Int64[Tensor, " P"]
    """The layer at the centre of each pixel."""
    clearance: Float[Tensor, " P"]
    """Distance from there to the edge of this layer or of one in front, px; no more is known of
    distances beyond `REACH`."""


def rasterise(layers: Layers, view: int) -> Raster:
    """What a view shows."""
    height, width = layers.size
    left = torch.ones(layers.num_scenes * height * width, device=layers.device)
    clearance = torch.full_like(left, torch.inf)
    found: list[Fragments] = []
    for layer, pixel, x, y in _pixels(layers, view, left):
        places = _places(layers, view, layer, x, y)
        edge = places.distance / places.length
        for part in _near_to_far(layers, layer):
            off, before = edge[part], left.index_select(0, pixel[part])
            near = ((off < REACH) & (before > 0)).nonzero()[:, 0]
            kept = [pixel[part], *(values[part] for values in places), off, before]
            at, *where, off, before = (values.index_select(0, near) for values in kept)
            share = (0.5 - off).clamp(0, 1) * before
            left.scatter_(0, at, before - share)
            clearance.scatter_(0, at, torch.minimum(clearance.index_select(0, at), off.abs()))
            own = torch.full_like(at, layer) if isinstance(layer, int) else layer[part][near]
            found.append(Fragments._make((at, own, *where, share)))
    pieces = Fragments(*(torch.cat(values) for values in zip(*found, strict=True)))
    inside = (pieces.distance <= 0).nonzero()[:, 0]
    pixel, layer = (part.index_select(0, inside) for part in (pieces.pixel, pieces.layer))
    nearest = torch.full(left.shape, -1, dtype=torch.int64, device=layers.device)
    nearest.scatter_reduce_(0, pixel, layer, "amax")  # layers are counted from far to near
    return Raster(pieces, inside[layer == nearest.index_select(0, pixel)], nearest, clearance)


class _Places(NamedTuple):
    """Where points of a view are on their layers, see `Fragments`."""

    u: Tensor
    v: Tensor
    distance: Tensor
    length: Tensor


def distance_at(
    layers: Layers, view: int, layer: Tensor | int, x: Tensor, y: Tensor
) -> Float[Tensor, " N"]:
    """Signed distance of points of a view, px, to the edge of a layer each, or of one layer."""
    return _places(layers, view, layer, x, y).distance


def _places(layers: Layers, view: int, layer: Tensor | int, x: Tensor, y: Tensor) -> _Places:
    if isinstance(layer, int):
        row = slice(layer, layer + 1)
        table, warped = columns(layers.maps[view], row), bool(layers.warped[view, layer])
        u, v, length = to_layer(table, x, y, warped=warped)
        form, table = int(layers.kind[layer]), columns(layers.shape, row)
        return _Places(u, v, signed_distance(form, table, u, v, layers.silhouettes), length)
    u, v, distance, length = (torch.empty_like(x) for _ in range(4))
    for index, own, bent in layers.by_map(layer, view):
        found = to_layer(columns(layers.maps[view], own), x[index], y[index], warped=bool(bent))
        u[index], v[index], length[index] = found
    for index, own, kind in layers.by_shape(layer):
        table = columns(layers.shape, own)
        distance[index] = signed_distance(kind, table, u[index], v[index], layers.silhouettes)
    return _Places(u, v, distance, length)


def _pixels(
    layers: Layers, view: int, left: Float[Tensor, " P"]
) -> Iterator[tuple[Tensor | int, Tensor, Tensor, Tensor]]:
    """Layers, from near to far, with the pixels in their boxes and where those are, px.

    Each layer by itself, without the pixels of which nothing is left; or all at once.
    """
    height, width = layers.size
    if layers.one_by_one:
        for row in range(len(layers.kind) - 1, -1, -1):
            first, last, top, bottom = layers.box_ends[view, row].tolist()
            if first < last and top < bottom:
                base = int(layers.scene[row]) * height * width
                picture = left[base : base + height * width].reshape(height, width)
                line, column = picture[top:bottom, first:last].nonzero(as_tuple=True)
                line, column = line + top, column + first
                yield row, base + line * width + column, column.float(), line.float()
        return
    first, last, top, bottom = layers.boxes[view].unbind(1)
    wide, high = (last - first).clamp_min(0), (bottom - top).clamp_min(0)
    counts = wide * high
    layer = torch.repeat_interleave(counts)
    place = torch.arange(len(layer), device=layers.device) - (counts.cumsum(0) - counts)[layer]
    line = torch.div(place, wide[layer], rounding_mode="floor")
    column = place - line * wide[layer] + first[layer]
    line = line + top[layer]
    pixel = layers.scene[layer] * (height * width) + line * width + column
    yield layer, pixel, column.float(), line.float()


def _near_to_far(layers: Layers, layer: Tensor | int) -> Iterator[slice | Tensor]:
    """Points in parts without two of the same pixel."""
    if isinstance(layer, int):
        yield slice(None)
        return
    rank = layers.rank[layer]
    order = torch.argsort(rank, descending=True, stable=True)
    ends = torch.bincount(rank, minlength=len(layers.ranks)).flip(0).cumsum(0).tolist()
    for first, last in pairwise([0, *ends]):
        yield order[first:last]
