"""An image described on a grid, and anywhere between, for whole-image correspondence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from corr.classical.dense_sift import DenseSift
from corr.extractors.dense_tiles import read_points
from corr.formats.images import to_tensor
from corr.geometry import pixel_grid, resize_points
from corr.models.network import DenseDescriptor

SIFT_BINS_PX = (12.0, 24.0, 48.0)
"""Sides of the bins of the three descriptors that `dense-sift-nn` joins; the largest sees more than
half of an image of 320 px. Objects of one kind agree in shape at large, not in detail."""
SIFT_STRIDE = 4


@dataclass(frozen=True, eq=False)
class DenseView:
    """Unit-length descriptors of one image, as it was resized to be seen."""

    stride: int
    """px of the resized image from one cell of the grid to the next."""
    size: tuple[int, int]
    """(height, width) of the image itself."""
    seen_size: tuple[int, int]
    """The same as it was resized."""
    device: torch.device
    """Of the descriptors."""
    read_seen: Callable[[Float[Tensor, "N 2"]], Float[Tensor, "N D"]]
    """Descriptors at any points of the resized image."""

    @cached_property
    def cells(self) -> Float[Tensor, "Hs Ws D"]:
        """One every `stride` px: those of an image reduced by the stride."""
        height, width = (-(-side // self.stride) for side in self.seen_size)
        grid = (pixel_grid(height, width).reshape(-1, 2) + 0.5) * self.stride - 0.5
        return self.read_seen(grid.to(self.device)).view(height, width, -1)

    def read(self, points: Float[Tensor, "N 2"]) -> Float[Tensor, "N D"]:
        """Descriptors at points, px of the image itself."""
        return self.read_seen(resize_points(points.to(self.device), self.size, self.seen_size))

    def place(self, cells: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2"]:
        """Where places of the grid, (column, row), lie in the image itself, px."""
        seen = (cells + 0.5) * self.stride - 0.5
        return resize_points(seen, self.seen_size, self.size)


def view_densely(
    image: UInt8[np.ndarray, "H W 3"],
    model: str | DenseDescriptor,
    size: int | None,
    device: torch.device,
) -> DenseView:
    """The image as a model sees it.

    Args:
        image: RGB.
        model: a network, or `dense-sift-nn`.
        size: length of the longer side as it is seen, px; its own when not given.
        device: of the network and of the descriptors.
    """
    seen = image if size is None else _resized(image, size)
    sizes = image.shape[:2], seen.shape[:2]
    if isinstance(model, DenseDescriptor):
        pixels = to_tensor(seen).to(device)
        return DenseView(
            model.stride, *sizes, device, lambda points: read_points(pixels, model, points)
        )
    grey = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
    scales = [DenseSift(grey, bin_px) for bin_px in SIFT_BINS_PX]

    def read(points: Float[Tensor, "N 2"]) -> Float[Tensor, "N D"]:
        places = points.cpu().numpy()
        joined = np.concatenate([scale.read(places) for scale in scales], axis=1)
        unit: Float32[np.ndarray, "N D"] = joined / np.float32(len(scales)) ** 0.5
        return torch.from_numpy(unit).to(device)

    return DenseView(SIFT_STRIDE, *sizes, device, read)


def _resized(image: UInt8[np.ndarray, "H W 3"], size: int) -> UInt8[np.ndarray, "H1 W1 3"]:
    """The image with a longer side of `size` px, in its own proportions."""
    scale = size / max(image.shape[:2])
    height, width = (max(1, round(scale * side)) for side in image.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized: UInt8[np.ndarray, "H1 W1 3"] = cv2.resize(image, (width, height), interpolation=how)
    return resized
