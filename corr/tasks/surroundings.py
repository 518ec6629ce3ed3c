"""What is around the points of images, to be drawn."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from corr.geometry import pixel_grid, sample

SHOWN_PX = 32
"""Side of what is drawn around a point."""


def around(
    images: Float[Tensor, "B 3 H W"], points: Float[Tensor, "N 2"], image: Int64[Tensor, " N"]
) -> Float[Tensor, "N 3 P P"]:
    """A square around each point.

    Args:
        images: of one size.
        points: (x, y) px; those of one image stand together.
        image: number of the image of each.
    """
    offsets = pixel_grid(SHOWN_PX, SHOWN_PX, images.device) - (SHOWN_PX - 1) / 2
    counts = torch.bincount(image, minlength=len(images)).tolist()
    parts = zip(images, torch.split(points, counts), strict=True)
    read: list[Any] = [
        sample(one[None], (own[:, None, None] + offsets)[None])[0].permute(0, 3, 1, 2)
        for one, own in parts
    ]
    return torch.cat(read)
