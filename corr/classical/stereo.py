"""OpenCV's stereo methods, strong and complete."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from corr.volume.refine import fill_background, median

_STEP = 16
"""OpenCV searches multiples of 16 disparities and returns sixteenths of a pixel."""

_BLOCK = 15
"""Side of block matching's window, px."""


def sgbm(
    left: UInt8[np.ndarray, "H W"], right: UInt8[np.ndarray, "H W"], max_disparity: int
) -> tuple[Float32[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """OpenCV's semi-global block matching in the strongest configuration that we found.

    Both images are padded at the left by the range, without which it predicts nothing there.

    Args:
        left: grey left image.
        right: grey right image, of the same size.
        max_disparity: disparities 0 to this minus 1.

    Returns:
        Disparity, px, and where it was matched; holes are filled from the background and the whole
        is smoothed by a 5 x 5 median.

    Source: Hirschmueller 2008; three paths and settings tuned on Middlebury and KITTI pairs.
    """
    matcher = cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=_range(max_disparity),
        blockSize=3,
        P1=72,
        P2=288,
        disp12MaxDiff=1,
        preFilterCap=31,
        uniquenessRatio=15,
        speckleWindowSize=400,
        speckleRange=2,
        mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    )
    disparity, valid = _compute(matcher, left, right, max_disparity)
    return median(fill_background(disparity, valid)), valid


def bm(
    left: UInt8[np.ndarray, "H W"], right: UInt8[np.ndarray, "H W"], max_disparity: int
) -> tuple[Float32[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """OpenCV's block matching, the fastest method; arguments and result as of `sgbm`."""
    matcher = cv2.StereoBM.create(_range(max_disparity), _BLOCK)
    disparity, valid = _compute(matcher, left, right, max_disparity)
    return median(fill_background(disparity, valid)), valid


def _range(max_disparity: int) -> int:
    return -(-max_disparity // _STEP) * _STEP


def _compute(
    matcher: cv2.StereoMatcher,
    left: UInt8[np.ndarray, "H W"],
    right: UInt8[np.ndarray, "H W"],
    max_disparity: int,
) -> tuple[Float32[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """Run on images padded by the range at the left and to the smallest size OpenCV takes."""
    height, width = left.shape
    margin = _range(max_disparity)
    below, beside = max(0, 2 * _BLOCK - height), max(0, 2 * _BLOCK - width)
    views = [
        cv2.copyMakeBorder(view, 0, below, margin, beside, cv2.BORDER_REPLICATE)
        for view in (left, right)
    ]
    raw = matcher.compute(*views)[:height, margin : margin + width]
    disparity = raw.astype(np.float32) / _STEP
    valid = (disparity >= 0) & (disparity <= max_disparity - 1)
    return disparity, valid
