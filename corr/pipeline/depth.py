"""Disparity and calibrated cameras -> depth in metres and points in space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from corr.drawing.depth import draw_depth
from corr.errors import ShapeError
from corr.formats import write_picture
from corr.formats.calibration import RectifiedCameras
from corr.formats.depth import write_depth
from corr.formats.ply import write_ply
from corr.results import DisparityMap, Picture


@dataclass(frozen=True, eq=False)
class DepthMap:
    """How far what each pixel of the left image shows is from the left camera."""

    depth: Float32[np.ndarray, "H W"]
    """Metres along the optical axis of the left camera; NaN where unknown."""
    measured: Bool[np.ndarray, "H W"]
    """True where both views show the point; elsewhere the disparity was filled, or is unknown."""
    cameras: RectifiedCameras
    """Of images of this size."""

    def points(self) -> Float32[np.ndarray, "H W 3"]:
        """(x right, y down, z forward) in the frame of the left camera, metres; NaN if unknown."""
        height, width = self.depth.shape
        (fx, _, cx), (_, fy, cy) = self.cameras.intrinsics[:2]
        x = (np.arange(width) - cx) / fx
        y = (np.arange(height)[:, None] - cy) / fy
        return np.stack((x * self.depth, y * self.depth, self.depth), 2).astype(np.float32)

    def save(self, path: str | Path) -> None:
        """Write metres as `.pfm` or `.npy`, or KITTI's depth `.png` (uint16, 256 a metre)."""
        write_depth(path, self.depth)

    def save_points(self, path: str | Path, image: Picture) -> int:
        """Write the measured points as a coloured `.ply`; how many there are.

        Args:
            path: `.ply`.
            image: the left image.
        """
        shown = self.measured & np.isfinite(self.depth)
        points = self.points()[shown]
        comments = (
            "unit: metre",
            "frame: left camera, x right, y down, z forward",
            f"baseline {self.cameras.baseline_m:.6g} m, focal length "
            f"{self.cameras.intrinsics[0, 0]:.6g} px, from {self.cameras.source}",
        )
        write_ply(path, points, image[shown], comments)
        return len(points)

    def draw(self, path: str | Path | None = None) -> Picture:
        """The map in colour with its scale in metres; written when `path` is given."""
        return write_picture(path, draw_depth(self.depth))


def measure_depth(
    found: DisparityMap, cameras: RectifiedCameras, *, max_depth_m: int | float | None = None
) -> DepthMap:
    """The depth of a disparity map: `focal * baseline / (disparity + offset)`.

    Unknown where the disparity is, where it is that of infinity or less, and beyond `max_depth_m`.

    Args:
        found: of the left image.
        cameras: of that image.
        max_depth_m: farther points are left out; none when not given.

    Raises:
        ShapeError: the cameras are of images of another size.

    Source: Hartley and Zisserman 2004, "Multiple view geometry", section 11.12; the offset as on
    https://vision.middlebury.edu/stereo/data/scenes2014/.
    """
    if cameras.image_size not in (None, found.disparity.shape):
        raise ShapeError(
            f"the cameras are of images of {cameras.image_size}, the map is {found.disparity.shape}"
        )
    shift = found.disparity.astype(np.float64) + cameras.offset_px
    before = np.isfinite(shift) & (shift > 0)
    depth = cameras.intrinsics[0, 0] * cameras.baseline_m / np.where(before, shift, np.nan)
    if max_depth_m is not None:
        depth[depth > max_depth_m] = np.nan
    return DepthMap(depth.astype(np.float32), found.confidence > 0, cameras)
