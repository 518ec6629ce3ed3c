"""Images turned by quarters of a circle, for models that do not turn what they see."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
from jaxtyping import UInt8

from corr.errors import OptionError
from corr.models.network import Rotations
from corr.results import Features

QUARTERS = (0, 1, 2, 3)

FEW_MATCHES = 50
"""Fewer may be chance, or the part of two views that was turned little."""


def check_rotations(rotations: str | None) -> None:
    """Refuse another word; None stands for what the model does by itself.

    Raises:
        OptionError: says which there are.
    """
    if rotations is not None and rotations not in get_args(Rotations):
        raise OptionError(
            f"rotations is '{rotations}'; use {', '.join(get_args(Rotations))}, or leave it out"
        )


def turn_image(image: UInt8[np.ndarray, "H W 3"], quarters: int) -> UInt8[np.ndarray, "H1 W1 3"]:
    """The image turned counterclockwise by so many quarters, no pixel of it resampled."""
    return np.ascontiguousarray(np.rot90(image, quarters))


def turn_back(features: Features, quarters: int) -> Features:
    """Features of a turned image as those of the image before `turn_image` turned it."""
    points, size = features.keypoints, features.image_size
    for _ in range(quarters % 4):
        # A quarter counterclockwise took (x, y) to (y, W - 1 - x): W was the height it has now.
        points = np.stack((size[0] - 1 - points[:, 1], points[:, 0]), axis=1)
        size = size[::-1]
    return replace(
        features,
        keypoints=np.ascontiguousarray(points),
        angle_deg=(features.angle_deg + 90 * quarters) % 360,
        image_size=size,
    )
