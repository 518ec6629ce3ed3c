"""Smooth maps of the plane: thin plate, affine, mirror."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from corr.errors import OptionError

Points = Float64[np.ndarray, "N 2"]

_CONTROL = 4
"""Points along each side that the plate is bent at."""
_LEAST_AREA = 0.2
"""Areas shrink to no less than this share of what the affine part makes of them: no folds."""
_COARSE = 24


@dataclass(frozen=True)
class Bending:
    """How much a bent view may differ in shape."""

    max_bend: float = 0.08
    """Largest shift of a control point along each axis, as a share of the side."""
    max_rotation_deg: float = 20.0
    """To either side."""
    max_zoom: float = 1.4
    """Largest magnification; the smallest is its inverse."""
    max_tilt: float = 1.4
    """Largest ratio of the two axes."""
    max_shift: float = 0.1
    """Along each axis, as a share of the side."""
    mirrored: float = 0.3
    """Share of the views that are mirrored."""

    def __post_init__(self) -> None:
        for name in ("max_bend", "max_shift"):
            if not 0 <= getattr(self, name) < 0.5:
                raise OptionError(f"{name} is {getattr(self, name)}; use a value in [0, 0.5)")
        for name in ("max_zoom", "max_tilt"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} is {getattr(self, name)}; use 1 or more")
        if not 0 <= self.max_rotation_deg <= 180:
            raise OptionError(f"max_rotation_deg is {self.max_rotation_deg}; use 0 to 180")
        if not 0 <= self.mirrored <= 1:
            raise OptionError(f"mirrored is {self.mirrored}; use a value in [0, 1]")

    def draw(self, side: int, rng: np.random.Generator) -> Bends:
        """A random map of a square of `side` px; its bend is lessened until nothing folds."""
        zoom = np.exp(rng.uniform(-1, 1) * np.log(self.max_zoom))
        stretch = np.sqrt(np.exp(rng.uniform(0, 1) * np.log(self.max_tilt)))
        turn = _rotation(np.deg2rad(rng.uniform(-1, 1) * self.max_rotation_deg))
        along = _rotation(rng.uniform(0, np.pi))
        matrix = zoom * turn @ along @ np.diag([stretch, 1 / stretch]) @ along.T
        if rng.uniform() < self.mirrored:
            matrix = matrix @ np.diag([-1.0, 1.0])
        shift = rng.uniform(-1, 1, 2) * self.max_shift * side
        bend = rng.uniform(-1, 1, (_CONTROL**2, 2)) * self.max_bend * side
        bends = Bends(side, matrix, shift, bend)
        while bends.least_area() < _LEAST_AREA:
            bend = 0.7 * bend
            bends = Bends(side, matrix, shift, bend)
        return bends


class Bends:
    """One such map, from the bent view to the plain one.

    Args:
        side: of both views, px.
        matrix: linear part around the middle.
        shift: of the middle, px.
        bend: shift of each control point of the plate, px.

    Source: Bookstein 1989, "Principal Warps: Thin-Plate Splines and the Decomposition of
    Deformations", TPAMI 11.
    """

    def __init__(
        self,
        side: int,
        matrix: Float[np.ndarray, "2 2"],
        shift: Float[np.ndarray, " 2"],
        bend: Float[np.ndarray, "K 2"],
    ) -> None:
        self._side = side
        self._middle = (side - 1) / 2
        ticks = np.linspace(0, 1, _CONTROL)
        self._control = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        count = len(self._control)
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = _bending(self._control, self._control)
        system[:count, count:] = np.c_[np.ones(count), self._control]
        system[count:, :count] = system[:count, count:].T
        self._plate = np.linalg.solve(system, np.r_[bend, np.zeros((3, 2))])
        self._matrix, self._shift = matrix, shift

    def __call__(self, points: Points) -> Points:
        """Where points of the bent view are in the plain one, px."""
        unit = points / (self._side - 1)
        weights, (offset, *linear) = self._plate[:-3], self._plate[-3:]
        bent = _bending(unit, self._control) @ weights + offset + unit @ np.array(linear)
        found: Points = (points - self._middle) @ self._matrix.T + self._middle + self._shift + bent
        return found

    def least_area(self) -> float:
        """The smallest area of the map on the view, as a share of that of its linear part."""
        ticks = np.linspace(-0.25, 1.25, _COARSE) * (self._side - 1)
        grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        slopes = [self(grid + step) - self(grid - step) for step in np.eye(2) / 2]
        areas = slopes[0][:, 0] * slopes[1][:, 1] - slopes[0][:, 1] * slopes[1][:, 0]
        return float((areas / np.linalg.det(self._matrix)).min())


def _bending(points: Points, control: Float64[np.ndarray, "K 2"]) -> Float64[np.ndarray, "N K"]:
    """r^2 log r^2."""
    squared = ((points[:, None] - control) ** 2).sum(-1).clip(1e-12)
    return np.asarray(squared * np.log(squared))


def _rotation(angle: float) -> Float64[np.ndarray, "2 2"]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
