"""Smooth maps of the plane: thin plate, affine, mirror; exact in both directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from corr.errors import OptionError

Points = Float64[np.ndarray, "N 2"]

_CONTROL = 4
"""Points along each side that the plate is bent at."""
_NEWTON_STEPS = 12
_CLOSE_PX = 1e-3
_LEAST_AREA = 0.2
"""Areas shrink to no less than this share of what the affine part makes of them: no folds."""
_COARSE = 24


@dataclass(frozen=True)
class Bending:
    """How much a second view may differ in shape."""

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
    """One such map. From the second view to the first it is a formula; there, its inverse.

    Args:
        side: of both views, px.
        matrix: linear part around the middle, from the second view to the first.
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
        system[:count, :count] = _kernel(self._control, self._control)[0]
        system[:count, count:] = np.c_[np.ones(count), self._control]
        system[count:, :count] = system[:count, count:].T
        self._plate = np.linalg.solve(system, np.r_[bend, np.zeros((3, 2))])
        self._matrix, self._shift = matrix, shift

    def back(self, points1: Points) -> Points:
        """Where points of the second view are in the first, px."""
        return self._back(points1)[0]

    def there(self, points0: Points) -> Points:
        """Where points of the first view are in the second, px; NaN where that is not found.

        By Newton's method from the nearest of a coarse grid of solutions.
        """
        ticks = np.linspace(-0.5, 1.5, _COARSE) * (self._side - 1)
        guesses = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        from scipy.spatial import cKDTree

        places: Points = guesses[cKDTree(self.back(guesses)).query(points0)[1]]
        open_rows = np.arange(len(points0))
        for _ in range(_NEWTON_STEPS):
            found, slope = self._back(places[open_rows])
            error = found - points0[open_rows]
            rest = np.linalg.norm(error, axis=1) > _CLOSE_PX
            step = np.linalg.solve(slope, error[..., None])[..., 0]
            places[open_rows] -= step
            open_rows = open_rows[rest]
            if len(open_rows) == 0:
                break
        places[open_rows] = np.nan
        return places

    def least_area(self) -> float:
        """The smallest area of the map on the view, as a share of that of its linear part."""
        ticks = np.linspace(-0.25, 1.25, _COARSE) * (self._side - 1)
        slope = self._back(np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2))[1]
        return float((np.linalg.det(slope) / np.linalg.det(self._matrix)).min())

    def _back(self, points1: Points) -> tuple[Points, Float64[np.ndarray, "N 2 2"]]:
        """The map and its derivative."""
        unit = points1 / (self._side - 1)
        kernel, slopes = _kernel(unit, self._control)
        count = len(self._control)
        weights, (offset, *linear) = self._plate[:count], self._plate[count:]
        bent = kernel @ weights + offset + unit @ np.array(linear)
        found = (points1 - self._middle) @ self._matrix.T + self._middle + self._shift + bent
        tilt = np.einsum("nki,kj->nji", slopes, weights) + np.array(linear).T
        return found, self._matrix + tilt / (self._side - 1)


def _kernel(
    points: Float64[np.ndarray, "N 2"], control: Float64[np.ndarray, "K 2"]
) -> tuple[Float64[np.ndarray, "N K"], Float64[np.ndarray, "N K 2"]]:
    """r^2 log r^2 and its derivative by the point."""
    apart = points[:, None] - control
    squared = np.maximum((apart**2).sum(-1), 1e-12)
    logarithm = np.log(squared)
    return squared * logarithm, 2 * apart * (logarithm + 1)[..., None]


def _rotation(angle: float) -> Float64[np.ndarray, "2 2"]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
