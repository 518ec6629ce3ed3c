"""Two cameras beside each other: as they are, and after rectification."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from corr.errors import FormatError

_ASPECT_TOLERANCE = 0.01
"""Largest difference of the two scales of an image that was resized as a whole, as a share."""


@dataclass(frozen=True, eq=False)
class RectifiedCameras:
    """What turns the disparity of a rectified pair into depth."""

    intrinsics: Float64[np.ndarray, "3 3"]
    """K of the left camera, px; the centre of the top-left pixel is (0, 0)."""
    offset_px: float
    """x of the right principal point less that of the left one: a point at infinity has the
    disparity `-offset_px`."""
    baseline_m: float
    """How far the right camera stands to the right of the left one, metres."""
    image_size: tuple[int, int] | None
    """(height, width) of the images; None where the file does not say."""
    source: str
    """What was read, in words, such as `KITTI, cameras P0 and P1`."""

    def for_image(self, size: tuple[int, int]) -> RectifiedCameras:
        """The cameras of an image of (height, width), which may be the calibrated one resized.

        Raises:
            FormatError: its proportions are others.
        """
        if self.image_size is None or self.image_size == size:
            return replace(self, image_size=size)
        scale_y, scale_x = (to / at for to, at in zip(size, self.image_size, strict=True))
        if abs(scale_x / scale_y - 1) > _ASPECT_TOLERANCE:
            (height, width), (to_height, to_width) = self.image_size, size
            raise FormatError(
                f"the calibration is of images of {width} x {height} pixels, and these have "
                f"{to_width} x {to_height}: other proportions, so that they were cropped; give a "
                "calibration of these images"
            )
        resize = np.array(
            [[scale_x, 0, 0.5 * scale_x - 0.5], [0, scale_y, 0.5 * scale_y - 0.5], [0, 0, 1]]
        )
        return replace(
            self,
            intrinsics=resize @ self.intrinsics,
            offset_px=scale_x * self.offset_px,
            image_size=size,
            source=f"{self.source}, resized by {scale_x:.3g}",
        )


@dataclass(frozen=True, eq=False)
class StereoRig:
    """Two cameras before rectification."""

    intrinsics: tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "3 3"]]
    """K of the left and of the right camera, px."""
    distortion: tuple[Float64[np.ndarray, " N"], Float64[np.ndarray, " N"]]
    """Of their lenses, in OpenCV's order k1, k2, p1, p2, k3, ..."""
    rotation: Float64[np.ndarray, "3 3"]
    """Takes directions from the frame of the left camera to that of the right one."""
    translation_m: Float64[np.ndarray, " 3"]
    """Added after the rotation, metres; x is negative where the right camera is on the right."""
    image_size: tuple[int, int] | None
    """(height, width) of the images; None where the file does not say."""
    source: str
    """What was read, in words."""


def rectified(
    left: Float64[np.ndarray, "3 4"],
    right: Float64[np.ndarray, "3 4"],
    *,
    unit_m: float,
    image_size: tuple[int, int] | None,
    path: object,
    source: str,
) -> RectifiedCameras:
    """From two projection matrices of a rectified pair, in one frame of space.

    Args:
        left: P of the left camera.
        right: P of the right camera.
        unit_m: metres in a unit of that space.
        image_size: (height, width), if known.
        path: of the file, for errors.
        source: as in `RectifiedCameras`.

    Raises:
        FormatError: the cameras are not rectified, or the right one is not on the right.
    """
    focal = float(left[0, 0])
    if not focal > 0 or not np.isclose(focal, right[0, 0], rtol=1e-3):
        raise FormatError(
            f"'{path}' has focal lengths of {focal:g} and {right[0, 0]:g} px; those of a rectified "
            "pair are equal and above 0"
        )
    place = [camera[:2, 3] / (camera[0, 0], camera[1, 1]) for camera in (left, right)]
    across, down = unit_m * (place[0] - place[1])
    if abs(down) > 0.1 * abs(across):
        raise FormatError(
            f"'{path}' has cameras above each other, or the same camera twice (they stand "
            f"{across:g} m and {down:g} m apart in x and y); give a pair beside each other"
        )
    return with_baseline(left[:, :3], right[0, 2] - left[0, 2], across, image_size, path, source)


def with_baseline(  # noqa: PLR0917 - what a calibration consists of
    intrinsics: Float64[np.ndarray, "3 3"],
    offset_px: float,
    baseline_m: float,
    image_size: tuple[int, int] | None,
    path: object,
    source: str,
) -> RectifiedCameras:
    """The cameras, if the right one stands on the right.

    Raises:
        FormatError: it does not.
    """
    if not (np.isfinite(baseline_m) and baseline_m > 0):
        raise FormatError(
            f"'{path}' has a baseline of {baseline_m:g} m; the right camera stands on the right, "
            "at more than 0: swap the two cameras"
        )
    return RectifiedCameras(
        np.asarray(intrinsics, np.float64).copy(),
        float(offset_px),
        float(baseline_m),
        image_size,
        source,
    )
