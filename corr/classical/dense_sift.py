"""SIFT at every place of an image, upright and at one scale."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8

from corr.geometry import sample

ANGLES, BINS = 8, 4
"""Directions of a histogram, and histograms along each side of a descriptor."""
_SMOOTHING = 1 / 6
"""Sigma before the gradients, in bins."""
_CLIP = 0.2


@dataclass(frozen=True, eq=False)
class DenseSift:
    """SIFT descriptors of one image, to be read anywhere.

    The histograms are made once for all places: gradients are sorted into `ANGLES` maps, which are
    smoothed by the triangle that shares a pixel between neighbouring bins. A descriptor reads
    `BINS` x `BINS` vectors of them around its place. Its Gaussian window weights whole bins.

    Source: Lowe 2004, "Distinctive Image Features from Scale-Invariant Keypoints", section 6;
    Vedaldi and Fulkerson 2010, "VLFeat", its `dsift` with a flat window; the root as in
    Arandjelovic and Zisserman 2012, section 3.
    """

    image: UInt8[np.ndarray, "H W"]
    """Grey."""
    bin_px: float = 8.0
    """Side of a bin; a descriptor covers `BINS` times as much."""

    @cached_property
    def _maps(self) -> torch.Tensor:
        """(1, ANGLES, H, W): strength of the gradients of each direction around each pixel."""
        sigma = self.bin_px * _SMOOTHING
        grey = cv2.GaussianBlur(self.image.astype(np.float32), (0, 0), max(sigma, 0.5))
        x, y = (
            cv2.filter2D(grey, -1, kernel, borderType=cv2.BORDER_REPLICATE)
            for kernel in (np.array([[-0.5, 0, 0.5]]), np.array([[-0.5], [0], [0.5]]))
        )
        turn = np.arctan2(y, x) / (2 * np.pi) * ANGLES
        length = np.hypot(x, y)
        reach = int(np.ceil(self.bin_px))
        triangle = np.maximum(0, 1 - np.abs(np.arange(-reach, reach + 1)) / self.bin_px)
        maps = np.empty((ANGLES, *grey.shape), np.float32)
        for angle in range(ANGLES):
            apart = np.abs((turn - angle + ANGLES / 2) % ANGLES - ANGLES / 2)
            own = length * np.maximum(0, 1 - apart)
            cv2.sepFilter2D(
                own, -1, triangle, triangle, maps[angle], borderType=cv2.BORDER_CONSTANT
            )
        return torch.from_numpy(maps)[None]

    def read(self, points: Float[np.ndarray, "N 2"]) -> Float32[np.ndarray, "N 128"]:
        """Unit-length descriptors around points, px; of zeros where nothing has a gradient."""
        steps = np.arange(BINS) - (BINS - 1) / 2
        offsets = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
        weights = np.exp(-0.5 * (offsets**2).sum(1) / (BINS / 2) ** 2)
        places = points[:, None] + self.bin_px * offsets
        read = sample(self._maps, torch.from_numpy(places.astype(np.float32))[None])[0].numpy()
        histograms = (read * weights[:, None].astype(np.float32)).reshape(len(points), -1)
        clipped = np.minimum(_unit(histograms), _CLIP)
        rooted = np.sqrt(clipped / np.maximum(clipped.sum(1, keepdims=True), 1e-12))
        return _unit(rooted)


def _unit(rows: Float32[np.ndarray, "N D"]) -> Float32[np.ndarray, "N D"]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Float32[np.ndarray, "N D"] = rows / np.maximum(length, 1e-6)
    return unit
