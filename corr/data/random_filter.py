"""Random filters: other textures and tones, the same shapes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.errors import OptionError

SIDES = (1, 3, 5, 7)
"""Of the filters, px; one of 1 px only mixes colours, and may turn light into dark."""


Picture = UInt8[np.ndarray, "H W 3"]


@dataclass(frozen=True)
class RandomFilter:
    """Filters pictures by random weights, so that edges stay where they are and change their looks.

    Source: Xu 2021, "Robust and Generalizable Visual Representation Learning via Random
    Convolutions".
    """

    probability: float = 0.5
    """Of a picture to be filtered."""
    min_kept: float = 0.0
    """Smallest share of the picture as it was in the mixture of both."""

    def __post_init__(self) -> None:
        for name in ("probability", "min_kept"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise OptionError(f"{name} is {value}; use a value in [0, 1]")

    def __call__(
        self, picture: UInt8[np.ndarray, "H W 3"], rng: np.random.Generator
    ) -> UInt8[np.ndarray, "H W 3"]:
        """The picture, or a mixture of it and its filtered copy, of its mean and deviation."""
        if rng.random() >= self.probability:
            return picture
        side = int(rng.choice(SIDES))
        pixels = picture.astype(np.float32)
        weights = rng.standard_normal((3, 3, side, side)).astype(np.float32)
        filtered = np.stack(
            [
                sum(cv2.filter2D(pixels[..., k], -1, kernels[k]) for k in range(3))
                for kernels in weights
            ],
            axis=-1,
        )
        mean, deviation = pixels.mean(), pixels.std()
        filtered = (filtered - filtered.mean()) / (filtered.std() + 1e-3) * deviation + mean
        kept = rng.uniform(self.min_kept, 1)
        mixed = kept * pixels + (1 - kept) * filtered
        mixed = (mixed - mixed.mean()) / (mixed.std() + 1e-3) * deviation + mean
        found: Picture = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
        return found
