"""Surfaces before a rectified pair of cameras: x moves by the disparity, y not at all."""

from __future__ import annotations

import numpy as np

from corr.data.synthetic.config import SyntheticConfig
from corr.data.synthetic.maps import LayerMap
from corr.data.synthetic.ordering import TERMS, Surface, separate
from corr.data.synthetic.ranges import log_uniform
from corr.data.synthetic.scene import Matrix, Motion, Placement

_STEEPEST = 0.4
"""Largest change of disparity along x, px a px: what is steeper cannot be matched, nor undone."""

_MIN_DISPARITY = 0.3
"""px; the farthest surfaces are not at infinity."""


def draw_stereo(rng: np.random.Generator, placement: Placement, config: SyntheticConfig) -> Motion:
    """Random disparities: planes and curved surfaces, each in front of what it covers."""
    ranges = config.stereo
    height, width = placement.size
    scale = width / 2
    highest = max(2 * _MIN_DISPARITY, width * log_uniform(rng, ranges.max_disparity))
    count = len(placement.outlines)
    # Crowded far away, as depths seen by a camera are.
    levels = np.sort(rng.beta(1.0, 1.3, count)) * 0.8 * highest
    levels[0] = rng.uniform(0, 0.25) * highest
    surfaces, curved = [], rng.random(count) < ranges.curved_share
    for layer in range(count):
        room = ranges.slant * highest if layer else 1.2 * ranges.slant * highest
        radius = placement.radius[layer] / scale
        surfaces.append(_surface(rng, float(levels[layer]), room, radius, bool(curved[layer])))
        if layer == 0 and rng.random() < 0.5:  # a floor that comes nearer towards the bottom
            surfaces[0][2] = rng.uniform(0.1, 0.5) * highest
    lowest = min(max(_MIN_DISPARITY, 0.015 * highest), 0.1 * highest)
    steepest = _STEEPEST * scale
    for surface in surfaces:
        steepness = abs(surface[1]) + 2.4 * abs(surface[3])
        surface[[1, 3]] *= min(1, steepest / max(steepness, 1e-9))
    surfaces = separate(surfaces, placement, lowest, highest)
    offset, tilt = rng.uniform(-0.5, 0.5, 2) * ranges.vertical_error
    into_pixels = np.array([[scale, 0, (width - 1) / 2], [0, scale, (height - 1) / 2], [0, 0, 1]])
    maps = [
        _map(surface / scale, pose, into_pixels, (offset / scale, tilt / scale), bool(bent))
        for surface, pose, bent in zip(surfaces, placement.poses, curved, strict=True)
    ]
    nearness = np.array([surface[0] for surface in surfaces]) / highest
    return Motion(maps, nearness.clip(0, 1))


def _surface(
    rng: np.random.Generator, level: float, room: float, radius: float, curved: bool
) -> Surface:
    """A surface of that disparity, px, that changes by up to `room` px over its radius."""
    surface = np.zeros(TERMS)
    surface[0] = level
    reach = max(radius, 0.05)
    if rng.random() < 0.8:
        surface[1:3] = rng.uniform(-1, 1, 2) * room / reach * rng.random()
    if curved:
        surface[3:5] = rng.uniform(-1, 1, 2) * min(room / reach**2, room * 4)
        rate = rng.uniform(1, 2.5) / reach
        surface[5:8] = rng.uniform(-0.25, 0.25) * room, rate, rng.uniform(0, 2 * np.pi)
    return surface


def _map(
    surface: Surface, pose: Matrix, into_pixels: Matrix, vertical: tuple[float, float], curved: bool
) -> LayerMap:
    """From the layer to the right view; `surface` and `vertical` in halves of the width."""
    to_unit = np.linalg.inv(into_pixels) @ pose
    offset, tilt = vertical
    if not curved:
        shift = np.array([[1 - surface[1], -surface[2], -surface[0]], [0, 1, 0], [0, 0, 1]])
        rectified_badly = np.array([[1, 0, 0], [tilt, 1, offset], [0, 0, 1]])
        return LayerMap(into_pixels @ rectified_badly @ shift @ to_unit)
    coupling = {
        "stretch": -surface[1],
        "curve": -surface[3],
        "shift": -surface[0],
        "shear": -surface[2],
        "bend": -surface[4],
        "x_size0": -surface[5],
        "x_rate0": surface[6],
        "x_phase0": surface[7],
        "tilt": tilt,
        "y_size0": offset,
        "y_phase0": np.pi / 2,
    }
    return LayerMap(to_unit, coupling, into_pixels)
