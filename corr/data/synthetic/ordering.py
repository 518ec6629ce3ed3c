"""Surfaces of disparity or inverse depth that do not pass through each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from corr.data.synthetic.scene import Placement

TERMS = 8
"""Of a surface: 1, x, y, x^2, y^2 in coordinates from -1 to 1 over the width, then size, rate and
phase of a wave along y."""

Surface = Float64[np.ndarray, " 8"]
Points = Float64[np.ndarray, "_ 2"]

_GRID = np.stack(np.meshgrid(*2 * (np.linspace(-1.3, 1.3, 12),)), -1).reshape(-1, 2)


def value(surface: Surface, points: Points) -> Float64[np.ndarray, " _"]:
    """The surface at points in coordinates from -1 to 1 over the width."""
    x, y = points.T
    plane = surface[0] + surface[1] * x + surface[2] * y
    curved = surface[3] * x * x + surface[4] * y * y
    made: Float64[np.ndarray, " N"] = (
        plane + curved + surface[5] * np.sin(surface[6] * y + surface[7])
    )
    return made


def separate(
    surfaces: list[Surface], placement: Placement, lowest: float, highest: float
) -> list[Surface]:
    """The surfaces, moved nearer until each is in front of those that it covers, then to range.

    Args:
        surfaces: from far to near.
        placement: of the layers.
        lowest: no surface is farther where it is seen.
        highest: none is nearer; all are brought closer together where one was.
    """
    height, width = placement.size
    scale = width / 2
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    corner = np.array([1.5, 1.2 * height / width])  # as far as the second view may look
    gap = 0.01 * (highest - lowest)
    placed: list[tuple[Surface, Points]] = []
    for surface, outline, centre, angle in zip(
        surfaces, placement.outlines, placement.centre, placement.angle, strict=True
    ):
        if np.isfinite(outline.half[0]):
            cos, sin = np.cos(angle), np.sin(angle)
            own = _GRID * outline.half @ np.array([[cos, sin], [-sin, cos]])
            points = (own + centre - middle) / scale
            inside = (np.abs(points) <= corner).all(1)
            points = points[inside] if inside.any() else points
        else:
            points = _GRID / 1.3 * corner
        lift = max(0.0, lowest - float(value(surface, points).min()))
        if placed:
            behind = [_covered(below, span, points) for below, span in placed]
            lift = max(lift, float((np.max(behind, 0) - value(surface, points)).max()) + gap)
        lifted = surface.copy()
        lifted[0] += lift
        placed.append((lifted, points))
    largest = max(float(value(surface, points).max()) for surface, points in placed)
    shrink = min(1.0, (highest - lowest) / max(largest - lowest, 1e-9))
    return [_shrunk(surface, lowest, shrink) for surface, _ in placed]


def _covered(below: Surface, span: Points, points: Points) -> Float64[np.ndarray, " _"]:
    """The surface below at those of the points where its layer may be, else far away."""
    inside = ((points >= span.min(0) - 0.1) & (points <= span.max(0) + 0.1)).all(1)
    return np.where(inside, value(below, points), -np.inf)


def _shrunk(surface: Surface, lowest: float, shrink: float) -> Surface:
    """The surface's distance from the lowest value, made smaller."""
    made = surface.copy()
    made[:6] *= shrink
    made[0] += lowest * (1 - shrink)
    return made
