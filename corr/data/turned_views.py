"""Views of a photograph turned and zoomed by known amounts, with their exact homographies."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from corr.geometry import resize, warp_homography

View = tuple[UInt8[np.ndarray, "_ _ 3"], Float64[np.ndarray, "3 3"]]
"""A view, and the homography that takes points of the photograph to it."""


def turned_view(photo: UInt8[np.ndarray, "H W 3"], angle_deg: int | float) -> View:
    """The photograph turned clockwise about its centre, on a canvas that holds all of it.

    Beyond the photograph its border is repeated, since a black one would have corners of its own.
    """
    height, width = photo.shape[:2]
    angle = np.deg2rad(angle_deg)
    cos, sin = np.round((np.cos(angle), np.sin(angle)), 12)
    sides = abs(sin) * width + abs(cos) * height, abs(cos) * width + abs(sin) * height
    size = int(np.ceil(sides[0] - 1e-6)), int(np.ceil(sides[1] - 1e-6))
    centre0, centre1 = (np.array([(w - 1) / 2, (h - 1) / 2]) for h, w in ((height, width), size))
    homography = np.eye(3)
    homography[:2, :2] = [[cos, -sin], [sin, cos]]
    homography[:2, 2] = centre1 - homography[:2, :2] @ centre0
    warped = warp_homography(
        _tensor(photo), torch.from_numpy(homography)[None], size, padding="border"
    )
    return _picture(warped), homography


def zoomed_view(photo: UInt8[np.ndarray, "H W 3"], factor: float) -> View:
    """The photograph resized by about a factor, to whole pixels: `p' = (p + 0.5) * s - 0.5`."""
    height, width = photo.shape[:2]
    size = max(1, round(height * factor)), max(1, round(width * factor))
    scale_y, scale_x = size[0] / height, size[1] / width
    homography = np.array(
        [[scale_x, 0, 0.5 * scale_x - 0.5], [0, scale_y, 0.5 * scale_y - 0.5], [0, 0, 1]]
    )
    return _picture(resize(_tensor(photo), size)), homography


def _tensor(photo: UInt8[np.ndarray, "H W 3"]) -> torch.Tensor:
    return torch.from_numpy(photo).permute(2, 0, 1)[None].double()


def _picture(image: torch.Tensor) -> UInt8[np.ndarray, "H W 3"]:
    pixels: UInt8[np.ndarray, "H W 3"] = image[0].permute(1, 2, 0).round().byte().numpy()
    return pixels
