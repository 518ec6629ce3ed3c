"""What every source of correspondences gives: two images, and where each pixel of one went."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8


@dataclass(frozen=True, eq=False)
class DensePair:
    """Two images and the way from the first to the second."""

    image0: UInt8[np.ndarray, "H W 3"]
    image1: UInt8[np.ndarray, "H1 W1 3"]
    flow_0to1: Float32[np.ndarray, "H W 2"]
    """px; `target = p + flow(p)`. NaN where image 1 does not show the point, or nobody knows."""
    other: UInt8[np.ndarray, "H2 W2 3"] | None = None
    """Another thing of the class that both images show, where the source knows of one."""


class PairSource(ABC):
    """Numbered things that pairs are drawn from, such as photographs or frames of a film."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A pair of images of `side` x `side` px from one of them, by the random numbers alone.

        Args:
            index: which one.
            side: of both images, px.
            rng: random numbers.

        Raises:
            DatasetError: its files cannot be read.
        """


def targets(flow_0to1: Float32[np.ndarray, "H W 2"]) -> Float32[np.ndarray, "H W 2"]:
    """Where each pixel went, (x, y) px; NaN where that is not known."""
    height, width = flow_0to1.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    found: Float32[np.ndarray, "H W 2"] = flow_0to1 + np.stack((x, y), axis=-1)
    return found


def follow(
    flow_0to1: Float32[np.ndarray, "H W 2"], points: Float[np.ndarray, "N 2"]
) -> Float32[np.ndarray, "N 2"]:
    """Where sub-pixel points went, between the flow of four pixels; NaN where one is not known."""
    if len(points) == 0:
        return np.zeros((0, 2), np.float32)
    moved = cv2.remap(
        flow_0to1,
        points[None].astype(np.float32),
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(np.nan, np.nan),
    )[0]
    found: Float32[np.ndarray, "N 2"] = (points + moved).astype(np.float32)
    return found
