"""Silhouettes of layers as signed distances: negative inside, in units of the layer.

A distance is exact or, near the edge, right to first order, which is what anti-aliasing needs.

Source of the distances to polygon, ellipse and box: Quilez, "2D distance functions",
https://iquilezles.org/articles/distfunctions2d/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

Values = Float[Tensor, " N"]
Columns = Float[Tensor, "_ _"]

EVERYWHERE, ELLIPSE, POLYGON, BLOB, BAR, DRAWN = range(6)
SHAPED = 8
"""Added to the kind of a shape with a hole or rounded corners."""

MAX_CORNERS = 10
BLOB_WAVES = 5
"""Of the radius over the angle, from two to six a turn."""

NUM_ROWS = 2 + 2 * MAX_CORNERS
THICKNESS, ROUNDING = 0, 1
"""Rows of shapes that are `SHAPED`: how far they reach inwards from their edge (the rest is a
hole), and how far their corners are rounded."""

INSIDE = -1e6


class Silhouettes(NamedTuple):
    """Shapes that are drawn instead of computed, such as letters and cut-outs of photographs."""

    distance: Float[Tensor, "K S S"]
    """Signed, in halves of the side."""


def signed_distance(
    kind: int, columns: Columns, u: Values, v: Values, silhouettes: Silhouettes
) -> Values:
    """Distance of points to the edge of a shape of one kind."""
    rows, form = columns[2:], kind % SHAPED
    if form == EVERYWHERE:
        return torch.full_like(u, INSIDE)
    distance = _drawn(rows, u, v, silhouettes) if form == DRAWN else _COMPUTED[form](rows, u, v)
    if kind < SHAPED:
        return distance
    distance = distance - columns[ROUNDING]
    return torch.maximum(distance, -distance - columns[THICKNESS])


def _ellipse(p: Columns, u: Values, v: Values) -> Values:
    """Rows: both half axes."""
    a, b = u / p[0], v / p[1]
    near = torch.sqrt(a * a + b * b)
    a, b = a / p[0], b / p[1]
    return near * (near - 1) / torch.sqrt(a * a + b * b).clamp_min(1e-9)


def _polygon(p: Columns, u: Values, v: Values) -> Values:
    """Rows: x of all corners, then y; the last corner is repeated where there are fewer."""
    x, y = p[:MAX_CORNERS], p[MAX_CORNERS : 2 * MAX_CORNERS]
    side_x, side_y = x.roll(1, 0) - x, y.roll(1, 0) - y
    squared = (side_x * side_x + side_y * side_y).clamp_min(1e-9)
    to_x, to_y = u - x, v - y
    along = ((to_x * side_x + to_y * side_y) / squared).clamp(0, 1)
    off_x, off_y = to_x - side_x * along, to_y - side_y * along
    distance = (off_x * off_x + off_y * off_y).amin(0).sqrt()
    above, next_above = to_y >= 0, to_y < side_y
    left = side_x * to_y > side_y * to_x
    crossed = (above & next_above & left) | ~(above | next_above | left)
    inside = crossed.sum(0) % 2 == 1
    return torch.where(inside, -distance, distance)


def _blob(p: Columns, u: Values, v: Values) -> Values:
    """Rows: radius, then cosine and sine of each wave as shares of it."""
    reach = torch.sqrt(u * u + v * v).clamp_min(1e-6)
    cos, sin = u / reach, v / reach
    cos_m, sin_m = cos, sin
    radius, slope = torch.ones_like(u), torch.zeros_like(u)
    for wave in range(BLOB_WAVES):
        cos_m, sin_m = cos_m * cos - sin_m * sin, sin_m * cos + cos_m * sin
        a, b = p[1 + 2 * wave], p[2 + 2 * wave]
        radius = radius + a * cos_m + b * sin_m
        slope = slope + (wave + 2) * (b * cos_m - a * sin_m)
    steepness = slope / radius
    return (reach - p[0] * radius) / torch.sqrt(1 + steepness * steepness)


def _bar(p: Columns, u: Values, v: Values) -> Values:
    """Rows: half length, half width, size, rate and phase of its wave, distance and number.

    One bar, straight or wavy, or as many beside each other on each side as the number says.
    """
    phase = p[3] * u + p[4]
    v = v - p[2] * torch.sin(phase)
    v = v - p[5] * torch.clamp(torch.round(v / p[5]), -p[6], p[6])
    slope = p[2] * p[3] * torch.cos(phase)
    off_u, off_v = u.abs() - p[0], (v.abs() - p[1]) / torch.sqrt(1 + slope * slope)
    outside_u, outside_v = off_u.clamp_min(0), off_v.clamp_min(0)
    outside = torch.sqrt(outside_u * outside_u + outside_v * outside_v)
    return outside + torch.maximum(off_u, off_v).clamp_max(0)


_COMPUTED: dict[int, Callable[[Columns, Values, Values], Values]] = {
    ELLIPSE: _ellipse,
    POLYGON: _polygon,
    BLOB: _blob,
    BAR: _bar,
}


def _drawn(p: Columns, u: Values, v: Values, silhouettes: Silhouettes) -> Values:
    """Rows: number of the silhouette, half its side."""
    grid = silhouettes.distance
    side = grid.shape[-1]
    half = p[1]
    x, y = (u / half + 1) * (side / 2) - 0.5, (v / half + 1) * (side / 2) - 0.5
    inner_x, inner_y = x.clamp(0, side - 1.001), y.clamp(0, side - 1.001)
    column, row = inner_x.long(), inner_y.long()
    first = (p[0].long() * side + row) * side + column
    right, down = inner_x - column, inner_y - row
    flat = grid.reshape(-1)
    top = torch.lerp(flat[first], flat[first + 1], right)
    bottom = torch.lerp(flat[first + side], flat[first + side + 1], right)
    value = torch.lerp(top, bottom, down) * half
    beyond = torch.maximum((x - inner_x).abs(), (y - inner_y).abs()) * (2 * half / side)
    return value + beyond
