"""Windows of two images of any size, as a pair of small ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8

from corr.data.correspondence.dense_pair import DensePair, targets


def crop_pair(
    image0: UInt8[np.ndarray, "H W 3"],
    image1: UInt8[np.ndarray, "H1 W1 3"],
    flow_0to1: Float32[np.ndarray, "H W 2"],
    side: int,
    rng: np.random.Generator,
) -> DensePair:
    """A random window of image 0, and the one of image 1 where the middle of its points went.

    Images smaller than the window are put into its top left corner, on black.

    Args:
        image0: RGB.
        image1: RGB.
        flow_0to1: px; NaN where not known.
        side: of both windows, px.
        rng: random numbers.
    """
    target = _targets_inside(flow_0to1, image1)
    known = np.argwhere(np.isfinite(target).all(-1))
    if len(known) == 0:
        middle0 = middle1 = np.array(image0.shape[1::-1]) / 2
    else:
        y, x = known[rng.integers(len(known))]
        middle0 = np.array([x, y]) + rng.uniform(-0.3, 0.3, 2) * side
        corner = _corner(middle0, image0.shape[:2], side)
        inside = target[corner[1] : corner[1] + side, corner[0] : corner[0] + side]
        middle1 = np.nanmedian(inside.reshape(-1, 2), axis=0)
    corner0, corner1 = (
        _corner(middle, image.shape[:2], side)
        for middle, image in ((middle0, image0), (middle1, image1))
    )
    return _cut((image0, image1), target, (corner0, corner1), side)


def crop_rectified(
    image0: UInt8[np.ndarray, "H W 3"],
    image1: UInt8[np.ndarray, "H W 3"],
    flow_0to1: Float32[np.ndarray, "H W 2"],
    side: int,
    rng: np.random.Generator,
) -> DensePair:
    """A random window of a rectified pair, which is one again: both have the same rows.

    The right window lies to the left of the other by the smallest disparity, as far as the image
    goes, so that they show as much of the same as they can and no disparity becomes negative.

    Args:
        image0: the left view, RGB.
        image1: the right view, RGB, of the same size.
        flow_0to1: px; NaN where not known.
        side: of both windows, px.
        rng: random numbers.
    """
    target = _targets_inside(flow_0to1, image1)
    known = np.argwhere(np.isfinite(target).all(-1))
    middle = np.array(image0.shape[1::-1]) / 2
    if len(known) > 0:
        middle = known[rng.integers(len(known))][::-1] + rng.uniform(-0.3, 0.3, 2) * side
    corner = _corner(middle, image0.shape[:2], side)
    disparity = -_window(flow_0to1, corner, side, np.nan)[..., 0]
    least = 0 if np.isnan(disparity).all() else max(0, int(np.nanmin(disparity)))
    beside = np.array([max(0, corner[0] - least), corner[1]])
    return _cut((image0, image1), target, (corner, beside), side)


def _targets_inside(
    flow_0to1: Float32[np.ndarray, "H W 2"], image1: UInt8[np.ndarray, "H1 W1 3"]
) -> Float32[np.ndarray, "H W 2"]:
    """Where each pixel went; NaN where that is not known or outside the image."""
    target = targets(flow_0to1)
    last = np.array([image1.shape[1] - 1, image1.shape[0] - 1])
    target[((target < 0) | (target > last)).any(-1)] = np.nan
    return target


def _cut(
    images: tuple[np.ndarray, np.ndarray],
    target: np.ndarray,
    corners: tuple[np.ndarray, np.ndarray],
    side: int,
) -> DensePair:
    """The windows of both images with these corners."""
    corner0, corner1 = corners
    window = _window(target, corner0, side, np.nan) - corner1
    first = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1)
    window[((window < 0) | (window > side - 1)).any(-1)] = np.nan
    return DensePair(
        _window(images[0], corner0, side, 0),
        _window(images[1], corner1, side, 0),
        (window - first).astype(np.float32),
    )


def _corner(middle: np.ndarray, size: tuple[int, ...], side: int) -> np.ndarray:
    """(x, y) of the first pixel of a window, within the image as far as that is large enough."""
    most = np.maximum(0, np.array(size[1::-1]) - side)
    corner: np.ndarray = np.clip(np.round(middle - side / 2), 0, most).astype(int)
    return corner


def _window(table: np.ndarray, corner: np.ndarray, side: int, beyond: float | int) -> np.ndarray:
    part = table[corner[1] : corner[1] + side, corner[0] : corner[0] + side]
    whole = np.full((side, side, table.shape[2]), beyond, table.dtype)
    whole[: part.shape[0], : part.shape[1]] = part
    return whole
