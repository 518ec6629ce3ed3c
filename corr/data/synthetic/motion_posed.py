"""Two pinhole cameras before slanted planes."""

from __future__ import annotations

import numpy as np

from corr.data.synthetic.config import PosedRanges, SyntheticConfig
from corr.data.synthetic.maps import LayerMap
from corr.data.synthetic.ordering import TERMS, separate
from corr.data.synthetic.ranges import uniform
from corr.data.synthetic.scene import Matrix, Motion, Placement


def draw_posed(rng: np.random.Generator, placement: Placement, config: SyntheticConfig) -> Motion:
    """Random planes and a random path of the camera.

    The `truth`: `intrinsics` of both cameras, px; `rotation` and `translation`, which take points
    from the first camera's frame to the second's; `inverse_depth`, for each view and layer the
    coefficients of x, y and 1, px.
    """
    ranges = config.posed
    height, width = placement.size
    lowest, highest = (1 / depth for depth in reversed(ranges.depth))
    planes = _planes(rng, placement, ranges, lowest, highest)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    scale = width / 2
    focal = max(height, width) / 2 / np.tan(np.deg2rad(uniform(rng, ranges.field_of_view_deg)) / 2)
    intrinsics = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]])
    inverse = np.linalg.inv(intrinsics)
    rotation, translation = _path(rng, ranges, focal, width, planes[:, 0])
    maps, coefficients = [], np.empty((2, len(planes), 3))
    for layer, (plane, pose) in enumerate(zip(planes, placement.poses, strict=True)):
        slope = plane[1:3] / scale
        first = np.array([*slope, plane[0] - slope @ middle])
        homography = intrinsics @ (rotation @ inverse + np.outer(translation, first))
        maps.append(LayerMap(homography @ pose))
        normal = rotation @ (intrinsics.T @ first)
        coefficients[0, layer] = first
        coefficients[1, layer] = inverse.T @ normal / (1 + normal @ translation)
    return Motion(
        maps,
        ((planes[:, 0] - lowest) / (highest - lowest)).clip(0, 1),
        {
            "intrinsics": intrinsics,
            "rotation": rotation,
            "translation": translation,
            "inverse_depth": coefficients,
        },
    )


def _planes(
    rng: np.random.Generator,
    placement: Placement,
    ranges: PosedRanges,
    lowest: float,
    highest: float,
) -> np.ndarray:
    """Inverse depth of each layer as a surface, see `ordering`."""
    count = len(placement.outlines)
    levels = lowest + np.sort(rng.beta(1.0, 1.6, count)) * 0.7 * (highest - lowest)
    levels[0] = lowest * rng.uniform(1, 1.5)
    surfaces = []
    for layer, level in enumerate(levels):
        surface = np.zeros(TERMS)
        reach = max(placement.radius[layer] * 2 / placement.size[1], 0.1)
        surface[0] = level
        surface[1:3] = rng.uniform(-1, 1, 2) * ranges.slant * level / reach * rng.random()
        surfaces.append(surface)
    # The background stays before the second camera wherever it may look.
    surfaces[0][1:3] *= 0.5
    if rng.random() < 0.5:
        surfaces[0][0] = lowest * 3
        surfaces[0][1:3] = 0, rng.uniform(0.8, 1.6) * lowest
    return np.array(separate(surfaces, placement, 0.5 * lowest, highest))


def _path(
    rng: np.random.Generator, ranges: PosedRanges, focal: float, width: int, levels: np.ndarray
) -> tuple[Matrix, np.ndarray]:
    """Rotation and translation to the second camera, which looks at the middle of the scene."""
    length = width * uniform(rng, ranges.parallax) / (focal * levels.max())
    direction = rng.standard_normal(3) * [1.0, 0.5, 0.4]
    translation = length * direction / np.linalg.norm(direction)
    looked_at = float(np.median(levels))
    turn = np.deg2rad(ranges.rotation_deg) * rng.uniform(-0.5, 0.5, 2)
    yaw = turn[0] - np.arctan(translation[0] * looked_at)
    pitch = turn[1] + np.arctan(translation[1] * looked_at)
    roll = np.deg2rad(ranges.roll_deg) * rng.uniform(-1, 1)
    cos, sin = np.cos([pitch, yaw, roll]), np.sin([pitch, yaw, roll])
    about_x = np.array([[1, 0, 0], [0, cos[0], -sin[0]], [0, sin[0], cos[0]]])
    about_y = np.array([[cos[1], 0, sin[1]], [0, 1, 0], [-sin[1], 0, cos[1]]])
    about_z = np.array([[cos[2], -sin[2], 0], [sin[2], cos[2], 0], [0, 0, 1]])
    return about_z @ about_y @ about_x, translation
