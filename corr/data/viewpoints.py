"""Random changes of viewpoint, and what they do to an oriented keypoint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from corr.errors import OptionError

Homography = Float64[np.ndarray, "3 3"]


@dataclass(frozen=True)
class Viewpoints:
    """How much the second view may differ from the first."""

    max_rotation_deg: float = 180.0
    """In the image plane, to either side."""
    min_zoom: float = 0.5
    """Smallest magnification."""
    max_zoom: float = 1.4
    """Largest magnification."""
    max_tilt: float = 2.0
    """Largest ratio of the two axes: 2 is a plane seen at 60 degrees from far away."""
    max_perspective: float = 0.2
    """Change of depth from the centre of the image to the middle of a side, as a share."""

    def __post_init__(self) -> None:
        if not 0 < self.min_zoom <= self.max_zoom:
            raise OptionError(
                f"min_zoom is {self.min_zoom} and max_zoom {self.max_zoom}; "
                "use two values above 0, the smaller first"
            )
        if self.max_tilt < 1:
            raise OptionError(f"max_tilt is {self.max_tilt}; use 1 or more")
        if not 0 <= self.max_perspective < 0.5:
            raise OptionError(f"max_perspective is {self.max_perspective}; use a value in [0, 0.5)")
        if not 0 <= self.max_rotation_deg <= 180:
            raise OptionError(f"max_rotation_deg is {self.max_rotation_deg}; use 0 to 180")

    def draw(self, size: tuple[int, int], rng: np.random.Generator) -> Homography:
        """A random homography, in px, from an image of `size` (height, width) to a second view.

        Zoom and tilt are uniform in their logarithm, everything else in its value. A point in the
        middle half of the image comes to the centre of the view.
        """
        height, width = size
        centre = np.array([width - 1, height - 1]) / 2
        looked_at = centre + rng.uniform(-0.25, 0.25, 2) * (width, height)
        zoom = np.exp(rng.uniform(np.log(self.min_zoom), np.log(self.max_zoom)))
        stretch = np.sqrt(np.exp(rng.uniform(0, np.log(self.max_tilt))))
        direction = _rotation(rng.uniform(0, np.pi))
        turn = _rotation(np.deg2rad(rng.uniform(-1, 1) * self.max_rotation_deg))
        affine = np.eye(3)
        affine[:2, :2] = zoom * turn @ direction @ np.diag([stretch, 1 / stretch]) @ direction.T
        perspective = np.eye(3)
        perspective[2, :2] = rng.uniform(-1, 1, 2) * self.max_perspective / (max(size) / 2)
        homography: Homography = (
            _translation(centre) @ perspective @ affine @ _translation(-looked_at)
        )
        return homography


def local_affine(
    homography: Homography, points: Float[np.ndarray, "N 2"]
) -> tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2 2"]]:
    """Where points go, px, and the derivative of the homography there.

    Points have to lie before its horizon.
    """
    x, y = points.T.astype(np.float64)
    mapped = homography @ np.stack([x, y, np.ones_like(x)])
    moved = (mapped[:2] / mapped[2]).T
    slope = homography[:2, :2][None] - moved[:, :, None] * homography[2, :2][None, None]
    return moved, slope / mapped[2][:, None, None]


def map_keypoints(
    homography: Homography,
    points: Float[np.ndarray, "N 2"],
    scale: Float[np.ndarray, " N"],
    angle_deg: Float[np.ndarray, " N"],
) -> tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Points, scales and angles where a detector finds them again in the second view.

    An orientation is the direction of a gradient: it turns with the inverse transpose of the local
    map, so that it stays at right angles to an edge.
    """
    moved, slope = local_affine(homography, points)
    angle = np.deg2rad(angle_deg)
    x, y = np.cos(angle), np.sin(angle)
    (a, b), (c, d) = slope.transpose(1, 2, 0)
    det = a * d - b * c
    new_angle = np.rad2deg(
        np.arctan2((a * y - b * x) * np.sign(det), (d * x - c * y) * np.sign(det))
    )
    return moved, scale * np.sqrt(np.abs(det)), new_angle % 360


def _rotation(angle: float) -> Float64[np.ndarray, "2 2"]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def _translation(shift: Float64[np.ndarray, " 2"]) -> Homography:
    matrix = np.eye(3)
    matrix[:2, 2] = shift
    return matrix
