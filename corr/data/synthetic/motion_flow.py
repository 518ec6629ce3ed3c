"""Layers that move in the image plane, each in its own way."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from corr.data.synthetic.config import FlowRanges, SyntheticConfig
from corr.data.synthetic.maps import LayerMap
from corr.data.synthetic.scene import Matrix, Motion, Placement

_ATTACHED_SHARE = 0.3
"""Of the objects, which move with the background: they stand in the world, and the camera moves."""

_LOCAL = 0.5
"""Turning, zooming and bending displace the rim of a layer by at most this share of its speed."""

_STILL = 0.3
"""px by which they may displace the rim of a layer that stands still."""


def draw_flow(rng: np.random.Generator, placement: Placement, config: SyntheticConfig) -> Motion:
    """Random motions, whose speeds have the distribution of the config."""
    ranges = config.flow
    count = len(placement.outlines)
    normal = rng.standard_normal(count)
    wild = ranges.alike**0.5 * rng.standard_normal() + (1 - ranges.alike) ** 0.5 * normal
    speeds = np.interp(ndtr(wild), *np.array(ranges.speed, float).T)
    moved: list[Matrix] = []
    maps: list[LayerMap] = []
    for layer, pose in enumerate(placement.poses):
        if layer > 0 and rng.random() < _ATTACHED_SHARE:
            motion, speed = moved[0], 0.15 * speeds[0]
        else:
            motion, speed = np.eye(3), float(speeds[layer])
        centre = placement.centre[layer]
        own = _rigid(rng, ranges, centre, float(placement.radius[layer]), speed)
        homography = motion @ own if layer else own
        moved.append(homography)
        radius = float(placement.radius[layer])
        if rng.random() < ranges.smooth_share:
            maps.append(_smooth(rng, homography @ pose, radius, speed))
        else:
            maps.append(LayerMap(homography @ pose))
    return Motion(maps, np.arange(count) / max(count - 1, 1))


def _rigid(
    rng: np.random.Generator,
    ranges: FlowRanges,
    centre: np.ndarray,
    radius: float,
    speed: float,
) -> Matrix:
    """A homography that moves the centre by the speed, and the rim little more."""
    room = _LOCAL * (speed + _STILL) / radius
    angle = rng.uniform(-1, 1) * min(np.deg2rad(ranges.rotation_deg), room)
    zoom = np.exp(rng.uniform(-1, 1) * min(np.log(ranges.zoom), room))
    stretch = np.exp(rng.uniform(-1, 1) * min(0.12, 0.5 * room))
    shear = rng.uniform(-1, 1) * min(0.12, 0.5 * room)
    depth = rng.uniform(-1, 1, 2) * min(ranges.perspective, room) / radius
    # Cameras and things move sideways more often than up and down.
    direction = np.array([1.0, 0.6]) * rng.standard_normal(2)
    shift = speed * direction / max(float(np.hypot(*direction)), 1e-9)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = zoom * np.array([[cos, -sin], [sin, cos]]) @ np.diag([stretch, 1 / stretch])
    local = np.eye(3)
    local[:2, :2] = turn @ np.array([[1, shear], [0, 1]])
    local[2, :2] = depth
    back, forth = np.eye(3), np.eye(3)
    back[:2, 2], forth[:2, 2] = -centre, centre + shift
    return forth @ local @ back


def _smooth(rng: np.random.Generator, homography: Matrix, radius: float, speed: float) -> LayerMap:
    """The same motion, and waves across the layer that displace it by a share of its speed."""
    angle = rng.uniform(0, np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    centre = homography[:2, 2] / homography[2, 2]
    affine = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) * [[radius], [radius], [1]]
    affine[:2, 2] = centre
    waves = {}
    for axis in "xy":
        for number in range(2):
            rate = rng.uniform(1.0, 3.5)
            most = min(0.45 / rate, _LOCAL * (speed + _STILL) / radius)
            waves[f"{axis}_size{number}"] = 0.7 * rng.uniform(-1, 1) * most
            waves[f"{axis}_rate{number}"] = rate
            waves[f"{axis}_phase{number}"] = rng.uniform(0, 2 * np.pi)
    return LayerMap(np.linalg.inv(affine) @ homography, waves, affine)
