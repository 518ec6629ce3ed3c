"""Photographs that scikit-image brings, with what is true of them, at any width."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import skimage.data
import torch
from jaxtyping import Float64, UInt8

from corr.geometry import warp_homography

Picture = UInt8[np.ndarray, "_ _ 3"]

MAX_DISPARITY = 64
"""Bound of the search in the motorcycle pair at its own width, px; its largest is 60."""


@dataclass(frozen=True, eq=False)
class TurnedPair:
    """A photograph, and the same one turned, shrunk and tilted."""

    image0: Picture
    image1: Picture
    homography_0to1: Float64[np.ndarray, "3 3"]


@dataclass(frozen=True, eq=False)
class StereoPair:
    """A rectified pair with the disparity of the left view, px; infinite where unknown."""

    left: Picture
    right: Picture
    truth: Float64[np.ndarray, "H W"]
    max_disparity: int


def astronaut(width: int) -> TurnedPair:
    """The astronaut, turned by 30 degrees about its centre, shrunk to 0.8 and tilted."""
    image = _resized(skimage.data.astronaut(), width)
    height = len(image)
    centre = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1]])
    cos, sin = 0.8 * np.cos(np.pi / 6), 0.8 * np.sin(np.pi / 6)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0.4 / width, -0.2 / height, 1]])
    homography: Float64[np.ndarray, "3 3"] = centre @ turn @ np.linalg.inv(centre)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    warped = warp_homography(tensor, torch.from_numpy(homography)[None].float())[0]
    pixels = (255 * warped.permute(1, 2, 0)).round().to(torch.uint8).numpy()
    return TurnedPair(image, pixels, homography)


def motorcycle(width: int) -> StereoPair:
    """Middlebury's motorcycle.

    Source: Scharstein et al. 2014, "High-Resolution Stereo Datasets with Subpixel-Accurate Ground
    Truth".
    """
    left, right, truth = skimage.data.stereo_motorcycle()
    scale = width / left.shape[1]
    small_left, small_right = _resized(left, width), _resized(right, width)
    size = small_left.shape[1], small_left.shape[0]
    # Nearest, since a mean across an edge is the disparity of nothing.
    small_truth = cv2.resize(truth.astype(np.float64), size, interpolation=cv2.INTER_NEAREST_EXACT)
    num_disparities = max(1, int(np.ceil(MAX_DISPARITY * scale)))
    return StereoPair(small_left, small_right, small_truth * scale, num_disparities)


def _resized(image: Picture, width: int) -> Picture:
    height = round(image.shape[0] * width / image.shape[1])
    smaller = width < image.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    resized: Picture = cv2.resize(image, (width, height), interpolation=method)
    return resized
