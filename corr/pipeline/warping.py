"""Points over an image, and one image at the places of another."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

_WARP_PX = 320
"""Longer side of the picture of image 1 at the places of image 0, px."""


def even_points(size: tuple[int, int], most: int) -> Float32[np.ndarray, "N 2"]:
    """Points in the middle of square cells, so many along the longer side."""
    cell = max(size) / most
    axes = [np.arange(max(1, round(side / cell))) for side in size[::-1]]
    x, y = (
        (axis + 0.5) * side / len(axis) - 0.5 for axis, side in zip(axes, size[::-1], strict=True)
    )
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)


def drawn_pixels(size: tuple[int, int]) -> Float32[np.ndarray, "N 2"]:
    """Each pixel of image 0 as it is drawn warped, in its own pixels."""
    height, width = _warped_size(size)
    scale = np.array([size[1] / width, size[0] / height])
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2)
    cells: Float32[np.ndarray, "N 2"] = ((grid + 0.5) * scale - 0.5).astype(np.float32)
    return cells


def _warped_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _WARP_PX / max(size))
    height, width = (max(1, round(scale * side)) for side in size)
    return height, width


def warp(
    image1: np.ndarray, places: Float32[np.ndarray, "N 2"], size: tuple[int, int]
) -> np.ndarray:
    """Image 1 at the place of each pixel of image 0, which may be torn: each is sought alone."""
    where = places.reshape(*_warped_size(size), 2)
    warped: np.ndarray = cv2.remap(
        image1, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return warped
