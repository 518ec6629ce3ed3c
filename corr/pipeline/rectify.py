"""A pair of images -> the same pair with every point on one row, by OpenCV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Float64

from corr.errors import FormatError, ImageError
from corr.formats import as_image, write_image
from corr.formats.atomic import make_folder
from corr.formats.calibration import StereoRig, write_rectification
from corr.pipeline.rectification_check import MIN_MATCHES, fit_offset, match_views
from corr.results import Picture

_MARGIN = 0.01
"""The smallest disparity of the matches after rectification, as a share of the width."""
_ORDINARY_FOCAL = 1.2
"""In longer sides of the image."""
_LARGEST_ZOOM = 2.0
"""Most that rectification may stretch a side of an image."""


@dataclass(frozen=True, eq=False)
class Rectification:
    """Two images whose points are on one row, and what made them."""

    left: Picture
    right: Picture
    matrices: Mapping[str, Float64[np.ndarray, ...]]
    """From matches: H1 and H2, the homographies of the left and of the right image, and F, the
    fundamental matrix between the images as they were. From a calibration: R1, R2, P1, P2, Q as
    OpenCV's `stereoRectify` gives them, lengths in metres."""
    calibrated: bool

    def save(self, folder: str | Path) -> list[Path]:
        """Write `left.png`, `right.png` and `rectification.yaml` into a folder; their paths.

        Raises:
            FormatError, OptionError: they cannot be written.
        """
        folder = Path(folder)
        make_folder(folder)
        paths = [folder / name for name in ("left.png", "right.png", "rectification.yaml")]
        write_image(paths[0], self.left)
        write_image(paths[1], self.right)
        size = self.left.shape[0], self.left.shape[1]
        unit = "m" if self.calibrated else None
        write_rectification(paths[2], self.matrices, size, unit=unit)
        return paths


def rectify(left: Any, right: Any, rig: StereoRig | None = None) -> Rectification:
    """The pair with every point on one row: by calibration, or else from its own matches.

    From matches the lens is taken as a pinhole, and depth has no scale.

    Args:
        left: a path, a uint8 array or a float tensor, as `corr.disparity` takes it.
        right: the other view, of the same size.
        rig: the cameras, as calibrated.

    Raises:
        FormatError: the calibration is of images of another size, or of cameras that do not stand
            beside each other.
        ImageError: an image cannot be used, the two differ in size or are swapped, or their matches
            do not determine a rectification.
    """
    views = as_image(left), as_image(right)
    if views[0].shape != views[1].shape:
        sizes = [f"{view.shape[1]} x {view.shape[0]}" for view in views]
        raise ImageError(f"left is {sizes[0]} and right {sizes[1]} pixels; give one size")
    return _from_matches(*views) if rig is None else _from_rig(*views, rig)


def _from_rig(left: Picture, right: Picture, rig: StereoRig) -> Rectification:
    """Source: Bouguet's method, as OpenCV's `stereoRectify` has it."""
    height, width = left.shape[:2]
    if rig.image_size is not None and rig.image_size != (height, width):
        raise FormatError(
            f"the calibration is of images of {rig.image_size[1]} x {rig.image_size[0]} pixels, "
            f"and these have {width} x {height}"
        )
    x, y, _ = rig.translation_m
    if abs(y) > abs(x):
        raise FormatError("the cameras stand above each other; turn the images by 90 degrees")
    if x >= 0:
        raise FormatError("the right camera stands to the left of the left one; swap the two")
    (k0, k1), (d0, d1) = rig.intrinsics, rig.distortion
    r0, r1, p0, p1, q, *_ = cv2.stereoRectify(
        k0,
        d0,
        k1,
        d1,
        (width, height),
        rig.rotation,
        rig.translation_m.reshape(3, 1),
        flags=cv2.CALIB_ZERO_DISPARITY,
        alpha=0,
    )
    seen = []
    for view, k, d, r, p in ((left, k0, d0, r0, p0), (right, k1, d1, r1, p1)):
        maps = cv2.initUndistortRectifyMap(k, d, r, p, (width, height), cv2.CV_32FC1)
        seen.append(cv2.remap(view, *maps, cv2.INTER_CUBIC))
    matrices = {"R1": r0, "R2": r1, "P1": p0, "P2": p1, "Q": q}
    return Rectification(seen[0], seen[1], matrices, calibrated=True)


def _from_matches(left: Picture, right: Picture) -> Rectification:
    """Source: Hartley 1999, "Theory and practice of projective rectification", as in OpenCV."""
    height, width = left.shape[:2]
    points = match_views(left, right)
    if len(points[0]) < MIN_MATCHES:
        raise ImageError(
            f"only {len(points[0])} points were matched, and {MIN_MATCHES} are needed to rectify "
            "the pair; give --calib, or images of one scene with more texture"
        )
    fundamental, agrees = cv2.findFundamentalMat(*points, cv2.USAC_MAGSAC, 1.0, 0.9999, 10_000)
    if fundamental is None or fundamental.shape != (3, 3):
        raise ImageError("the matches do not determine how the cameras stand; give --calib")
    inside = agrees.ravel().astype(bool)
    points = points[0][inside], points[1][inside]
    if not _in_order(fundamental, points, (height, width)):
        raise ImageError(
            "the views are swapped: the points that both show lie before the cameras only if the "
            "right one stands on the left; give the images in the other order"
        )
    done, h0, h1 = cv2.stereoRectifyUncalibrated(*points, fundamental, (width, height), 0)
    if not done:
        raise ImageError("the matches do not determine a rectification; give --calib")
    h0, h1 = _upright(h0, points[0]), _upright(h1, points[1])
    h0, h1 = _aligned(h0, h1, points, (height, width))
    h0, h1, size = _framed(h0, h1, points, (height, width))
    seen = [
        cv2.warpPerspective(view, h, size, flags=cv2.INTER_CUBIC)
        for view, h in ((left, h0), (right, h1))
    ]
    matrices = {"H1": h0, "H2": h1, "F": fundamental}
    return Rectification(seen[0], seen[1], matrices, calibrated=False)


def _in_order(
    fundamental: Float64[np.ndarray, "3 3"],
    points: tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]],
    size: tuple[int, int],
) -> bool:
    """Whether the right camera does not stand on the left, if the points lie before both.

    After rectification from matches any order has disparities above 0, so it is told before; the
    focal length hardly matters, and that of an ordinary lens is taken.
    """
    focal = _ORDINARY_FOCAL * max(size)
    k = np.array([[focal, 0, (size[1] - 1) / 2], [0, focal, (size[0] - 1) / 2], [0, 0, 1]])
    _, rotation, translation, _ = cv2.recoverPose(k.T @ fundamental @ k, *points, k)
    right, down, forward = -(rotation.T @ translation).ravel()
    return bool(right > -max(abs(down), abs(forward)))  # a camera that moved forward has no order


def _upright(h: Float64[np.ndarray, "3 3"], points: Float[np.ndarray, "N 2"]) -> np.ndarray:
    """The homography without a half turn, which Hartley's method leaves open.

    Scaled so that the middle of the points lies before the horizon, at the third coordinate 1.
    """
    h = h / (h[2] @ (*points.mean(axis=0), 1.0))
    moved = _move(h, points)
    turned = np.cov(points[:, 1], moved[:, 1])[0, 1] < 0
    upright: Float64[np.ndarray, "3 3"] = np.diag((-1.0, -1.0, 1.0) if turned else np.ones(3)) @ h
    return upright


def _aligned(
    h0: Float64[np.ndarray, "3 3"],
    h1: Float64[np.ndarray, "3 3"],
    points: tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]],
    size: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """The same with the rows of the right view moved to where the points ask for them.

    The fundamental matrix is estimated for all of the image; what is left of the error is a plane.
    """
    right = _move(h1, points[1])
    offset = fit_offset(right, right[:, 1] - _move(h0, points[0])[:, 1], size)
    slope = np.tan(np.radians(offset.turn_deg))
    x, y = (size[1] - 1) / 2, (size[0] - 1) / 2
    lean = offset.scale - 1
    rows = np.eye(3)
    rows[1] = (-slope, 1 - lean, slope * x + lean * y - offset.shift_px)
    return h0, rows @ h1


def _framed(
    h0: Float64[np.ndarray, "3 3"],
    h1: Float64[np.ndarray, "3 3"],
    points: tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]],
    size: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """The same moved so that the images begin at (0, 0) and every disparity is above 0.

    The rows are those that both images have. The last is (width, height) of both.
    """
    height, width = size
    corners = np.array([(-0.5, -0.5), (width, -0.5), (width, height), (-0.5, height)], float)
    framed = [_move(h, corners) for h in (h0, h1)]
    top = max(corner[:, 1].min() for corner in framed)
    bottom = min(corner[:, 1].max() for corner in framed)
    start, end = framed[0][:, 0].min(), framed[0][:, 0].max()
    new = (round(end - start), round(bottom - top))
    behind = any((np.c_[corners, np.ones(4)] @ h[2] <= 0).any() for h in (h0, h1))
    stretched = max(np.ptp(corner, axis=0).max() for corner in framed) > _LARGEST_ZOOM * max(size)
    if behind or stretched or new[0] < width / _LARGEST_ZOOM or new[1] < height / _LARGEST_ZOOM:
        raise ImageError(
            "the matches ask for a rectification that tears the images apart: the cameras do not "
            "stand beside each other (one moved forward, or too few points agree); give --calib, "
            "or another pair"
        )
    disparity = _move(h0, points[0])[:, 0] - _move(h1, points[1])[:, 0]
    lift = _MARGIN * new[0] - float(np.quantile(disparity, 0.005))
    to_left, to_right = np.eye(3), np.eye(3)
    to_left[:2, 2] = -start, -top
    to_right[:2, 2] = -start - lift, -top
    return to_left @ h0, to_right @ h1, new


def _move(h: Float64[np.ndarray, "3 3"], points: Float[np.ndarray, "N 2"]) -> np.ndarray:
    mapped = np.c_[points, np.ones(len(points))] @ h.T
    moved: np.ndarray = mapped[:, :2] / mapped[:, 2:]
    return moved
