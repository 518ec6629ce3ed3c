"""Where the points of layers lie in a view, and back: both in closed form.

A map is a homography, for warped layers followed by a coupling and an affine map. A coupling moves
x by a function of y (and of x, a quadratic), then y by a function of the new x, so it can be undone
step by step.

Source of the couplings: Dinh et al. 2017, "Density estimation using Real NVP", eq. 4 and 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

Values = Float[Tensor, " N"]
Matrix = Float64[np.ndarray, "3 3"]
Columns = Float[Tensor, "_ _"]
"""Parameters in rows; one column for each point, or one for all."""

HOMOGRAPHY, INVERSE, AFFINE, AFFINE_INVERSE = (
    slice(0, 9),
    slice(9, 18),
    slice(18, 24),
    slice(24, 30),
)
AREA = 30
"""Row of the area that a pixel of the view has in the layer, before the division."""

COUPLING = slice(31, 49)
NUM_ROWS = 49

_HORIZON = 1e-5
"""Smallest depth, in units of that of the layer's centre."""

_IDENTITY = np.eye(3)

COUPLING_NAMES = (
    *("stretch", "curve", "shift", "shear", "bend"),
    *("x_size0", "x_rate0", "x_phase0", "x_size1", "x_rate1", "x_phase1"),
    *("tilt", "y_size0", "y_rate0", "y_phase0", "y_size1", "y_rate1", "y_phase1"),
)
"""x' = x + stretch x + curve x^2 + shift + shear y + bend y^2 + waves of y, and then
y' = y + tilt x' + waves of x'; a wave is `size sin(rate t + phase)`."""


class LayerMap(NamedTuple):
    """The map of one layer from its own plane to a view."""

    homography: Matrix
    """Of the layer's (u, v), with a positive depth; to px, or to the coupling's coordinates."""
    coupling: Mapping[str, float] = MappingProxyType({})
    """Parameters by name; others are 0."""
    affine: Matrix = _IDENTITY
    """From the coupling's coordinates to px."""

    @property
    def warped(self) -> bool:
        """Whether it is more than a homography."""
        return bool(self.coupling)


def pack(maps: Sequence[LayerMap]) -> Float64[np.ndarray, "49 L"]:
    """The parameters of maps, and of their inverses, in columns."""
    homography = np.stack([one.homography for one in maps])
    homography = homography / homography[:, 2:, 2:]
    affine = np.stack([one.affine for one in maps])
    inverse, back = np.linalg.inv(homography), np.linalg.inv(affine)
    area = np.abs(np.linalg.det(inverse) * np.linalg.det(back))
    waves = [[one.coupling.get(name, 0.0) for name in COUPLING_NAMES] for one in maps]
    parts = [homography, inverse, affine[:, :2], back[:, :2], area, np.array(waves)]
    return np.concatenate([part.reshape(len(maps), -1) for part in parts], axis=1).T


def to_view(columns: Columns, u: Values, v: Values, *, warped: bool) -> tuple[Values, Values]:
    """(x, y) in a view of points of layers, px."""
    x, y, _ = _project(columns[HOMOGRAPHY], u, v)
    if not warped:
        return x, y
    x, y = _couple(columns[COUPLING], x, y)
    return _affine(columns[AFFINE], x, y)


def to_layer(
    columns: Columns, x: Values, y: Values, *, warped: bool
) -> tuple[Values, Values, Values]:
    """(u, v) of points of a view, px, and the length in the layer of one pixel of the view."""
    stretch: Tensor | None = None
    if warped:
        x, y = _affine(columns[AFFINE_INVERSE], x, y)
        x, y, stretch = _uncouple(columns[COUPLING], x, y)
    u, v, inverse_depth = _project(columns[INVERSE], x, y)
    area = columns[AREA] * (inverse_depth * inverse_depth * inverse_depth)
    if stretch is not None:
        area = area / stretch.clamp_min(1e-3)
    return u, v, area.sqrt()


def _project(rows: Columns, x: Values, y: Values) -> tuple[Values, Values, Values]:
    """A homography; what lies behind its horizon goes far away."""
    a, b, c, d, e, f, g, h, i = rows.unbind()
    inverse_depth = (g * x + h * y + i).clamp_min(_HORIZON).reciprocal()
    return (a * x + b * y + c) * inverse_depth, (d * x + e * y + f) * inverse_depth, inverse_depth


def _affine(a: Columns, x: Values, y: Values) -> tuple[Values, Values]:
    return a[0] * x + a[1] * y + a[2], a[3] * x + a[4] * y + a[5]


def _couple(c: Columns, x: Values, y: Values) -> tuple[Values, Values]:
    x = x * (1 + c[0] + c[1] * x) + _across(c, y)
    return x, y + _along(c, x)


def _uncouple(c: Columns, x: Values, y: Values) -> tuple[Values, Values, Values]:
    y = y - _along(c, x)
    moved, slope = x - _across(c, y), 1 + c[0]
    # The root of the quadratic that is `moved / slope` for a straight one, without cancellation.
    root = (slope * slope + 4 * c[1] * moved).clamp_min(1e-6).sqrt()
    return 2 * moved / (slope + root), y, root


def _across(c: Columns, y: Values) -> Values:
    waves = c[5] * torch.sin(c[6] * y + c[7]) + c[8] * torch.sin(c[9] * y + c[10])
    return c[2] + y * (c[3] + c[4] * y) + waves


def _along(c: Columns, x: Values) -> Values:
    waves = c[12] * torch.sin(c[13] * x + c[14]) + c[15] * torch.sin(c[16] * x + c[17])
    return c[11] * x + waves
