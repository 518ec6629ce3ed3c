"""Random views of a whole photograph: a part of it, seen from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from corr.errors import OptionError

Corners = Float64[np.ndarray, "4 2"]
"""Where the outer corners of a view lie in its photograph, (x, y) px, clockwise from the top left:
those of the whole photograph are half a pixel outside the centres of its own corner pixels."""

_SQUARE = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


@dataclass(frozen=True)
class Views:
    """How much a view may differ from its photograph; every view lies within it."""

    min_area: float = 0.3
    """Smallest part of the photograph, as a share of its area."""
    max_area: float = 1.0
    """Largest part, before it is made to fit."""
    max_aspect: float = 1.33
    """Largest ratio of its sides; the smallest is the inverse."""
    max_rotation_deg: float = 20.0
    """In the image plane, to either side."""
    max_perspective: float = 0.25
    """Largest move of a corner along each axis, as a share of half a side."""

    def __post_init__(self) -> None:
        if not 0 < self.min_area <= self.max_area <= 1:
            raise OptionError(
                f"min_area is {self.min_area} and max_area {self.max_area}; use two values in "
                "(0, 1], the smaller first"
            )
        if self.max_aspect < 1:
            raise OptionError(f"max_aspect is {self.max_aspect}; use 1 or more")
        if not 0 <= self.max_rotation_deg <= 180:
            raise OptionError(f"max_rotation_deg is {self.max_rotation_deg}; use 0 to 180")
        if not 0 <= self.max_perspective < 0.5:
            raise OptionError(f"max_perspective is {self.max_perspective}; use a value in [0, 0.5)")

    def draw(self, size: tuple[int, int], rng: np.random.Generator) -> Corners:
        """The corners of a random view of a photograph of `size` (height, width).

        Area and aspect are uniform in their logarithm, everything else in its value. A view that
        would not fit into the photograph is made smaller.
        """
        height, width = size
        area = height * width * np.exp(rng.uniform(np.log(self.min_area), np.log(self.max_area)))
        aspect = np.exp(rng.uniform(-np.log(self.max_aspect), np.log(self.max_aspect)))
        angle = np.deg2rad(rng.uniform(-self.max_rotation_deg, self.max_rotation_deg))
        moved = _SQUARE + rng.uniform(-self.max_perspective, self.max_perspective, (4, 2)) / 2
        flat = moved * np.sqrt((area * aspect, area / aspect))
        cos, sin = np.cos(angle), np.sin(angle)
        corners = flat @ np.array([[cos, sin], [-sin, cos]])
        room = np.array([width, height], float)
        corners *= min(1.0, float((room / np.maximum(np.ptp(corners, axis=0), 1e-9)).min()))
        free = (room - np.ptp(corners, axis=0)).clip(0)
        placed: Corners = corners - corners.min(axis=0) + rng.uniform(0, 1, 2) * free - 0.5
        return placed


def take_view(
    photo: UInt8[np.ndarray, "H W 3"], corners: Corners, side: int
) -> UInt8[np.ndarray, "S S 3"]:
    """The part of a photograph between four corners, as a square of `side` px.

    A photograph that shows it larger is reduced first, averaging, so that nothing aliases.
    """
    x, y = corners.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    scale = side / max(float(np.sqrt(area)), 1.0)
    source = corners
    if scale < 1:
        height, width = (max(1, round(scale * length)) for length in photo.shape[:2])
        ratio = np.array([width, height]) / photo.shape[1::-1]
        source = (corners + 0.5) * ratio - 0.5
        photo = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    square = (side * (_SQUARE + 0.5) - 0.5).astype(np.float32)
    homography = cv2.getPerspectiveTransform(source.astype(np.float32), square)
    view: UInt8[np.ndarray, "S S 3"] = cv2.warpPerspective(
        photo, homography, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return view
